"""How a report falls on its pages."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from portal.printing.typesetter import typeset_report
from portal.reports.document import Document, Paragraph, Section
from tests.portal.printing.printed import read_text

METHOD = [
    Paragraph(f"Sentence {number} says how it was counted, and goes on a little.") for number in range(12)
]


@pytest.mark.parametrize("before", [26, 30, 34])
def test_the_method_of_a_report_is_not_torn_apart(before: int) -> None:
    """However long what stands before it, so that no page holds its last lines alone."""
    filler = Section("refusals", "Refusals", [Paragraph(f"Line {number}.") for number in range(before)])
    document = Document(
        language="en",
        town="Besançon",
        title="Usage report",
        when="March 2026",
        about="All networks",
        made="Made today.",
        sections=[filler, Section("method", "Method", METHOD)],
        colophon=[],
        contents="",
        cover=False,
    )
    pages = read_text(typeset_report(asdict(document))).split("\f")
    holding = {
        number
        for number, page in enumerate(pages)
        for line in ("Sentence 0 ", "Sentence 11 ")
        if line in page
    }
    assert len(holding) == 1
