"""The command line: ``flask --app wsgi NOUN VERB``. One module for each noun."""

from __future__ import annotations

from flask import Flask

from portal.cli import (  # noqa: F401
    audit,
    backup,
    database,
    doctor,
    front,
    gateways,
    legal_requests,
    patrons,
    report,
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
        legal_requests.requisitions,
        sessions.sessions,
        staff.staff,
        tokens.tokens,
        vouchers.group,
    ):
        app.cli.add_command(noun)
    app.cli.add_command(doctor.doctor)
    app.cli.add_command(sweep.sweep)
