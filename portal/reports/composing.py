"""From the numbers to the whole document, in the language of this request."""

from __future__ import annotations

from datetime import date

from portal.i18n.translation import language, say
from portal.reports import definition_words, numbers, sections
from portal.reports.document import Document
from portal.reports.summary import is_told, summary
from sessions.statistics.report import Report


def compose(report: Report, *, town: str, networks: frozenset[str], today: date) -> Document:
    """The report of `town`; `networks` are the slugs of those it is about, none of them where it is about all."""
    parts = [summary(report, town)]
    if is_told(report):
        parts += [sections.time(report), sections.networks(report)]
        parts += [sections.places(one, report) for one in report.networks]
        parts += [sections.refusals(report)]
    parts += [definition_words.definitions(), definition_words.method(report)]
    names = [one.whole.name for one in report.networks if one.whole.slug in networks]
    return Document(
        language=language(),
        town=town,
        title=say("Usage report on the public wifi"),
        when=numbers.opening(numbers.span(report.period)),
        about=", ".join(names) or say("All networks"),
        made=say("Made on %(day)s.", day=numbers.day(today)),
        sections=parts,
        colophon=definition_words.colophon(report, networks=networks, language=language()),
        contents=say("Contents"),
    )
