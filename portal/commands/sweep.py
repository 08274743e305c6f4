"""``flask sweep``: the round that keeps the books, once or for ever."""

from __future__ import annotations

import logging
import signal
import threading

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from portal import anchoring
from portal.services import Services, services
from sessions.sweep import sweep as sweep_once

log = logging.getLogger(__name__)


@click.command("sweep")
@click.option(
    "--every", type=click.FloatRange(0.2, 3600), help="Go on for ever, with this many seconds between."
)
@with_appcontext
def sweep(every: float | None) -> None:
    """Close what is over, end who is gone, forget what is stale."""
    service = services()
    if every is None:
        with service.make_session.begin() as db:
            swept = sweep_once(db, now=service.clock())
        anchoring.leave(service)
        click.echo(f"Closed {swept.expired} that were over and {swept.idle} that were gone.")
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _go_on(service, every, stop)


def _go_on(service: Services, every: float, stop: threading.Event) -> None:
    while not stop.wait(every):
        try:
            with service.make_session.begin() as db:
                sweep_once(db, now=service.clock())
            anchoring.leave(service)
        except SQLAlchemyError:
            # A database that is away comes back; until then the gateways end access by themselves.
            log.warning("the sweep could not reach the database", exc_info=current_app.debug)
