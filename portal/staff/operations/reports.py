"""The usage report on a page, in print and as open data: of the networks that this person works for."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import abort, make_response, render_template
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import REPORT_MADE, ObjectKind
from auth.staff.roles import Action, covers
from db.engine import reading
from portal.printing.typesetter import FailedPrinting
from portal.reports import making
from portal.reports.making import ReportFormat
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.operations import report_queries
from portal.staff.operations.report_queries import ReportQuery
from sessions.access_audit import looked
from sessions.statistics import signed
from sites import queries
from sites.models import Network

log = logging.getLogger(__name__)
TYPES = {ReportFormat.CSV: "text/csv; charset=utf-8", ReportFormat.PDF: "application/pdf"}


@staff.get("/reports")
@needs(Action.REPORT)
def reports() -> AnyResponse:
    """The report as a page. A period that nobody can read is told, and the last month shown."""
    asked = report_queries.asked()
    service = services()
    report = making.load(service, asked.period, asked.networks)
    with reading(service.make_session) as db:
        versions = signed.of_report(db, asked.period, asked.networks)
        page = render_template(
            "staff/reports.html",
            asked=asked,
            report=report,
            document=making.compose(service, report, asked.networks),
            versions=versions,
            is_signed_as_shown=bool(versions) and versions[0].numbers == signed.numbers_of(report),
            networks=_own(db),
            drawing=Markup,
        )
    return make_response(page, HTTPStatus.OK if asked.is_readable else HTTPStatus.BAD_REQUEST)


@staff.get("/reports/<any(csv,pdf):form>")
@needs(Action.REPORT)
def report_file(form: str) -> AnyResponse:
    """The report as a file. Who took one away is in the audit log."""
    asked, service = report_queries.asked(), services()
    if not asked.is_readable:
        abort(HTTPStatus.BAD_REQUEST)
    found = making.load(service, asked.period, asked.networks)
    try:
        content = making.write(service, found, ReportFormat(form), asked.networks)
    except FailedPrinting as error:
        log.warning("usage report not rendered: %s", error)
        raise
    with service.make_session.begin() as db:
        _record(db, asked, form)
    response = make_response(content)
    response.headers["Content-Type"] = TYPES[ReportFormat(form)]
    name = f"wifi-{asked.network or 'all'}-{asked.period.first}-{asked.period.last}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _own(db: Session) -> list[Network]:
    """The networks that this person works for."""
    authority = current_staff().authority
    return [one for one in queries.networks(db) if covers(authority, one.slug)]


def _record(db: Session, asked: ReportQuery, form: str) -> None:
    looked(
        db,
        REPORT_MADE,
        ObjectKind.REPORT,
        actor=current_staff().actor,
        network=asked.network or None,
        detail={"from": str(asked.period.first), "to": str(asked.period.last), "form": form},
        now=services().clock(),
    )
