"""``flask sweep``: the round that keeps the books, once or for ever."""

from __future__ import annotations

import logging
import signal
import threading
from datetime import datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from ads import breaks, overrides
from portal import audit_anchors, retention, staff_directory, statistics
from portal.alerts import sending
from portal.cli.database import reason_of
from portal.gateway_api import reconcile
from portal.here import this_app
from portal.reports.experiment_figures import measure_begun
from portal.services import Services, services
from portal.troubles import Rounds
from sessions.sweep import Swept
from sessions.sweep import sweep as sweep_once

# The days of the usage report that one call makes at most; the next one goes on.
MOST_DAYS = 31
# A day of figures becomes due once a day.
LOOK_FOR_DAYS = timedelta(minutes=1)
log = logging.getLogger(__name__)


@click.command("sweep")
@click.option(
    "--every", type=click.FloatRange(0.2, 3600), help="Go on for ever, with this many seconds between."
)
@with_appcontext
def sweep(every: float | None) -> None:
    """Close what is over, end who is gone, forget what is stale, make the figures of days that are final."""
    service = services()
    if every is None:
        swept = _sweep(service)
        click.echo(
            f"Closed {swept.expired} that were over, {swept.idle} that were gone "
            f"and {swept.stale_sessions} that their gateway does not hold."
        )
        for _ in range(MOST_DAYS):
            if statistics.make_next(service) is None:
                break
        measure_begun(service)
        # After the figures: they are made of what is purged.
        for _ in retention.purging(service):
            pass
        audit_anchors.write_checkpoint(service)
        staff_directory.check(service)
        Rounds().look(service)
        sending.send_due(service)
        return
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _go_on(service, every, stop)


def _go_on(service: Services, every: float, stop: threading.Event) -> None:
    make_figures, look_for_troubles = _Figures().make, Rounds().look
    app = this_app()
    send_alerts = sending.Round(app).begin
    while not stop.wait(every):
        # Each for itself: on a full disk the first fails, and the purge is what makes room.
        for work in (
            _sweep,
            make_figures,
            retention.keep,
            audit_anchors.write_checkpoint,
            staff_directory.check,
            look_for_troubles,
            send_alerts,
        ):
            try:
                work(service)
            except SQLAlchemyError as error:
                # A database that is away comes back; until then the gateways end access by themselves.
                log.warning(
                    "the sweep could not use the database: %s", reason_of(error), exc_info=current_app.debug
                )


def _sweep(service: Services) -> Swept:
    with service.make_session.begin() as db:
        overrides.carry_on(db, now=service.clock())
        breaks.forget(db, before=service.clock() - 2 * breaks.BREAK_LIFE)
    with service.make_session.begin() as db:
        swept = sweep_once(db, now=service.clock())
    reconcile()
    return swept


class _Figures:
    """The next day of figures; where there was none, experiments are measured, and the next look is a while later."""

    def __init__(self) -> None:
        self._look_at: datetime | None = None
        self._has_new = True

    def make(self, service: Services) -> None:
        if self._look_at is not None and service.clock() < self._look_at:
            return
        made = statistics.make_next(service)
        self._look_at = None if made else service.clock() + LOOK_FOR_DAYS
        if made is None and self._has_new:
            measure_begun(service)
        self._has_new = made is not None
