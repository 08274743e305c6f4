"""From the environment to an application, for servers (`wsgi`) and for the ``arobase`` command."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import FlaskGroup

from portal.cli import CommandIndex


def load() -> Flask:
    """The application; while the command line looks a command up, only an index of commands.

    Servers, ``flask run``, ``shell`` and ``routes`` get the whole one, which takes several times as long to import; a
    server's is warmed beside its first requests.
    """
    context = click.get_current_context(silent=True)
    if context is not None and isinstance(context.command, FlaskGroup):
        return CommandIndex(make_app)
    app = make_app()
    if context is None:
        from portal import warming

        warming.begin(app)
    return app


def make_app() -> Flask:
    """The whole application. Where settings are wrong, ends the process with all that is wrong with them."""
    from config import SettingsError

    try:
        with _lasting_objects():
            from config import Settings
            from portal.app import create_app, make_services

            return create_app(make_services(Settings.from_env(os.environ)))
    except SettingsError as error:
        sys.exit("Arobase does not start:\n" + "\n".join(f"- {fault}" for fault in error.faults))


@contextmanager
def _lasting_objects() -> Iterator[None]:
    """Modules and mapped classes live as long as the process: no collection looks at them, now or in a request.

    Looking at them takes a seventh of the start, and tens of milliseconds in each full collection after it.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def main() -> None:
    """``arobase NOUN VERB``: the same commands as ``flask --app wsgi``, from any folder."""
    FlaskGroup(
        help="The captive portal and hotspot service of a town and its libraries.",
        create_app=load,
        load_dotenv=False,
    ).main(prog_name="arobase")
