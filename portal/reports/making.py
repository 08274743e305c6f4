"""From a request of staff, or of the command line, to a report in one of its forms."""

from __future__ import annotations

import enum
from dataclasses import asdict

from ads import statistics as ads
from db.engine import reading
from portal.printing.typesetter import typeset_report
from portal.reports import composing, open_data, plain
from portal.reports.document import Document
from portal.services import Services, town_zone
from sessions.statistics import report as numbers
from sessions.statistics.periods import Period
from sessions.statistics.report import Report


class ReportFormat(enum.StrEnum):
    TEXT = "text"
    CSV = "csv"
    PDF = "pdf"


def load(service: Services, period: Period, networks: frozenset[str]) -> Report:
    """The numbers; with `networks`, of these alone."""
    with reading(service.make_session) as db:
        return numbers.load(
            db,
            period,
            networks=networks,
            ads=lambda span: ads.read(db, span.first, span.last),
        )


def compose(service: Services, report: Report, networks: frozenset[str]) -> Document:
    """The document, in the language of this request."""
    today = service.clock().astimezone(town_zone()).date()
    return composing.compose(report, town=service.settings.town, networks=networks, today=today)


def write(service: Services, report: Report, form: ReportFormat, networks: frozenset[str]) -> bytes:
    """The report in this form. Raises `RendererBusy` and `FailedPrinting` for a PDF."""
    if form is ReportFormat.CSV:
        return open_data.write(report)
    document = compose(service, report, networks)
    return typeset_report(asdict(document)) if form is ReportFormat.PDF else plain.write(document).encode()
