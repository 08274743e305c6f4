"""From a request of staff, or of the command line, to a report in one of its forms."""

from __future__ import annotations

import enum
import logging
from dataclasses import asdict, replace

from sqlalchemy.exc import SQLAlchemyError

from ads import statistics as ads
from db.engine import reading
from portal.i18n.translation import language, say
from portal.printing.from_networks import logo_of
from portal.printing.typesetter import typeset_report
from portal.reports import definition_words, open_data, plain, sections, time_charts
from portal.reports import numbers as written
from portal.reports.document import Document
from portal.reports.summary import is_told, summary
from portal.services import Services, town_zone
from sessions.statistics import cache
from sessions.statistics import report as numbers
from sessions.statistics.periods import Period
from sessions.statistics.report import Report
from sessions.statistics.signed import SignedReport
from sites import queries
from sites.colours import accents

log = logging.getLogger(__name__)


class ReportFormat(enum.StrEnum):
    TEXT = "text"
    CSV = "csv"
    PDF = "pdf"


def load(service: Services, period: Period, networks: frozenset[str]) -> Report:
    """The numbers; with `networks`, of these alone. Computed once, and again when a figure behind them has changed."""

    def accepted(span: Period) -> numbers.Ads:
        return ads.read(db, span.first, span.last)

    with reading(service.make_session) as db:
        key = cache.key_of(db, period, networks=networks, ads=accepted)
        if (found := cache.find(db, key)) is not None:
            return found
        report = numbers.load(db, period, networks=networks, ads=accepted)
    try:
        with service.make_session.begin() as db:
            cache.keep(db, key, report, now=service.clock())
    except SQLAlchemyError as error:
        # The next one computes it again.
        log.warning("a computed report could not be kept: %s", type(error).__name__)
    return report


def compose(
    service: Services, report: Report, networks: frozenset[str], version: SignedReport | None = None
) -> Document:
    """The document, in the language of this request; `networks` are the slugs it is about, none for all of them.

    `version` is the one that the numbers come from, where they were signed off.
    """
    town, today = service.settings.town, service.clock().astimezone(town_zone()).date()
    made = say("Made on %(day)s.", day=written.day(today))
    colophon = definition_words.colophon(report, networks=networks, language=language())
    if version is not None:
        made, colophon = definition_words.signed_by(version), definition_words.signed_colophon(version)
    parts = [summary(report, town)]
    if is_told(report):
        parts += [time_charts.time(report), sections.networks(report)]
        parts += [sections.places(one, report) for one in report.networks]
        parts += [sections.refusals(report)]
    parts += [definition_words.definitions(), definition_words.method(report)]
    names = [one.whole.name for one in report.networks if one.whole.slug in networks]
    return Document(
        language=language(),
        town=town,
        title=say("Usage report on the public wifi"),
        when=written.opening(written.span(report.period)),
        about=", ".join(names) or say("All networks"),
        made=made,
        sections=parts,
        colophon=colophon,
        contents=say("Contents"),
    )


def write(
    service: Services,
    report: Report,
    form: ReportFormat,
    networks: frozenset[str],
    version: SignedReport | None = None,
) -> bytes:
    """The report in this form. Raises `RendererBusy` and `FailedPrinting` for a PDF."""
    if form is ReportFormat.CSV:
        return open_data.write(report)
    document = compose(service, report, networks, version)
    if form is not ReportFormat.PDF:
        return plain.write(document).encode()
    return typeset_report(asdict(dressed(service, document, networks)))


def dressed(service: Services, document: Document, networks: frozenset[str]) -> Document:
    """The document with logo, colour and contact: of its network, or, about several, the first logo there is."""
    with reading(service.make_session) as db:
        found = queries.networks(db, slugs=networks or None)
        logos = (logo_of(db, network, document.language) for network in found)
        logo = next((one for one in logos if one is not None), None)
        look = found[0].look if len(found) == 1 else {}
    contact = say(
        "Questions about this report: %(contact)s", contact=look.get("contact") or service.settings.contact
    )
    return replace(document, logo=logo, accent=accents(look).light, contact=contact)
