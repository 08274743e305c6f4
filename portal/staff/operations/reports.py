"""The usage report on a page, in print and as open data: of the networks that this person works for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from flask import abort, make_response, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import REPORT_MADE, ObjectKind
from auth.staff.roles import Action, covers
from db.engine import reading
from portal.printing.typesetter import FailedPrinting
from portal.reports import making
from portal.reports.making import ReportFormat
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, ensure, needs
from sessions.access_audit import looked
from sessions.statistics.periods import Period, month_before
from sites import queries
from sites.models import Network

log = logging.getLogger(__name__)
TYPES = {ReportFormat.CSV: "text/csv; charset=utf-8", ReportFormat.PDF: "application/pdf"}


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What the query asks for. `network` is empty for all that this person works for."""

    period: Period
    network: str
    is_readable: bool

    @property
    def networks(self) -> frozenset[str]:
        return frozenset({self.network}) if self.network else current_staff().authority.networks


@staff.get("/reports")
@needs(Action.REPORT)
def reports() -> AnyResponse:
    """The report as a page. A period that nobody can read is told, and the last month shown."""
    asked = _asked()
    service = services()
    document = making.compose(service, making.load(service, asked.period, asked.networks), asked.networks)
    with reading(service.make_session) as db:
        page = render_template(
            "staff/reports.html", asked=asked, document=document, networks=_own(db), drawing=Markup
        )
    return make_response(page, HTTPStatus.OK if asked.is_readable else HTTPStatus.BAD_REQUEST)


@staff.get("/reports/<any(csv,pdf):form>")
@needs(Action.REPORT)
def report_file(form: str) -> AnyResponse:
    """The report as a file. Who took one away is in the audit log."""
    asked, service = _asked(), services()
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


def _asked() -> ReportQuery:
    network = request.args.get("network", "")[:64]
    if network:
        with reading(services().make_session) as db:
            if queries.network_by_slug(db, network) is None:
                abort(HTTPStatus.NOT_FOUND)
        ensure(Action.REPORT, network)
    default = month_before(services().clock().astimezone(town_zone()).date())
    first, last = request.args.get("first", ""), request.args.get("last", "")
    if not first and not last:
        return ReportQuery(default, network, True)
    try:
        return ReportQuery(Period(date.fromisoformat(first), date.fromisoformat(last)), network, True)
    except (ValueError, OverflowError):
        return ReportQuery(default, network, False)


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
