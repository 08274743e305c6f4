"""The command line: ``flask --app wsgi NOUN VERB``. One module for each noun."""

from __future__ import annotations

from flask import Flask

from portal.commands import (
    audit,
    copies,  # noqa: F401 (its commands are in the group of `database`)
    database,
    doctor,
    front,
    gateways,
    patrons,
    report,
    requisitions,
    retention,
    sessions,
    sites,
    staff,
    sweep,
    tokens,
    vouchers,
)


def register(app: Flask) -> None:
    for noun in (
        audit.audit,
        database.db,
        front.front,
        sites.sites,
        gateways.gateways,
        patrons.patrons,
        report.report,
        retention.retention,
        requisitions.requisitions,
        sessions.sessions,
        staff.staff,
        tokens.tokens,
        vouchers.group,
    ):
        app.cli.add_command(noun)
    app.cli.add_command(doctor.doctor)
    app.cli.add_command(sweep.sweep)
