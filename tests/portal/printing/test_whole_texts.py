"""What was promised stands on every paper in full, read back from the document; where it cannot, nothing is printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from auth.vouchers.models import Batch, Plan, PlanKind
from portal.printing.from_vouchers import say_end
from portal.printing.papers import Paper, UnfitText
from portal.printing.receipts import print_escpos
from portal.printing.sheets import print_pdf
from portal.printing.tickets import PrintedVoucher
from tests.portal.languages import LANGUAGES
from tests.portal.printing.printed import SSID, make_ticket, missing, read_text, squeezed
from tests.portal.printing.test_receipts import parse

ROOMY = [
    (Paper.A4, False),
    (Paper.A4, True),
    (Paper.RECEIPT, False),
    (Paper.RECEIPT, True),
    (Paper.L7163, False),
]
# A Wednesday in September, the longest of all last days in French, and in the next year.
LAST = datetime(2027, 9, 29, 22, 0, tzinfo=UTC)
ISSUED = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
# As many letters as the desk takes.
EVENT = (
    "Rencontre internationale des bibliothèques de quartier et des médiathèques, "
    "salle polyvalente du rez-de-chaussée, 1er"
).ljust(120, "x")
PLACE = "Bibliothèque d’étude et de conservation de la ville de Besançon, annexe du centre de documentation".ljust(
    120, "y"
)
# Each is the first once, and the second once.
PAIRS = list(zip(LANGUAGES, LANGUAGES[1:] + LANGUAGES[:1], strict=True))


def longest_end(language: str) -> str:
    plans = [Plan(kind=kind, length_minutes=1439) for kind in PlanKind]
    said = (
        say_end(Batch(plan=plan, ends_at=LAST, issued_at=ISSUED), language, "Europe/Paris") for plan in plans
    )
    return max(said, key=len)


def longest(languages: tuple[str, ...], **changes: Any) -> PrintedVoucher:
    ends = {language: longest_end(language) for language in languages}
    return make_ticket(
        **{
            "ends": ends,
            "event": EVENT,
            "place": PLACE,
            "mark": "12345-300",
            "languages": languages,
            **changes,
        }
    )


def said_by(ticket: PrintedVoucher) -> list[str]:
    return [ticket.event, ticket.place, ticket.number, *(said.end for said in ticket.words.values())]


@pytest.mark.parametrize("languages", PAIRS)
@pytest.mark.parametrize(("paper", "large"), ROOMY)
def test_the_longest_texts_stand_on_the_paper_in_full(
    paper: Paper, large: bool, languages: tuple[str, ...]
) -> None:
    ticket = longest(languages)
    text = read_text(print_pdf([ticket], paper=paper, large=large))
    assert missing([SSID, ticket.address, *said_by(ticket)], text) == []


@pytest.mark.parametrize("languages", [("fr", "en"), ("de", "it", "es")])
def test_a_receipt_printer_gets_the_longest_texts_in_full(languages: tuple[str, ...]) -> None:
    ticket = longest(languages)
    text = squeezed(parse(print_escpos([ticket]))[1])
    assert [said for said in said_by(ticket) if squeezed(said) not in text] == []


@pytest.mark.parametrize("languages", PAIRS)
@pytest.mark.parametrize("paper", [Paper.L7160, Paper.L7651])
def test_a_label_says_the_longest_end_in_full(paper: Paper, languages: tuple[str, ...]) -> None:
    ticket = longest(languages, event="", place="Médiathèque Pierre-Bayle")
    text = read_text(print_pdf([ticket], paper=paper))
    printed = languages[:1] if paper is Paper.L7651 else languages
    assert missing([ticket.words[one].end for one in printed], text) == []


@pytest.mark.parametrize("paper", [Paper.A4, Paper.L7160, Paper.L7163, Paper.L7651, Paper.RECEIPT])
def test_an_event_of_a_usual_length_stands_on_every_paper(paper: Paper) -> None:
    ticket = make_ticket(
        event="Nuit de la lecture",
        mark="2-7",
        ends={
            "fr": "valable un jour, jusqu’à minuit, utilisable jusqu’à dimanche 29 novembre 23:59",
            "en": "good for one day, until midnight",
        },
    )
    text = squeezed(read_text(print_pdf([ticket], paper=paper)))
    assert squeezed(ticket.event) in text and squeezed(ticket.words["fr"].end) in text


@pytest.mark.parametrize("paper", [Paper.L7160, Paper.L7651])
def test_a_label_without_room_for_the_event_is_not_printed(paper: Paper) -> None:
    with pytest.raises(UnfitText) as refused:
        print_pdf([longest(("fr", "en"))], paper=paper)
    assert refused.value.fields == {"event"}


def test_letters_as_wide_as_can_be_are_refused_and_never_cut() -> None:
    for paper in Paper:
        ticket = longest(("fr", "en"), event="W" * 120)
        try:
            text = squeezed(read_text(print_pdf([ticket], paper=paper)))
        except UnfitText:
            continue
        assert "W" * 120 in text, paper


def test_common_tickets_take_no_more_paper_than_before() -> None:
    """24 of A4, with an event and a place of usual lengths."""
    tickets = [make_ticket(number, event="Fête du livre", mark=f"12-{number}") for number in range(24)]
    pages = read_text(print_pdf(tickets, paper=Paper.A4)).count("\f")
    assert pages == 1


def test_long_tickets_take_larger_places() -> None:
    tickets = [longest(("fr", "en"), mark=f"12-{number}") for number in range(16)]
    text = read_text(print_pdf(tickets, paper=Paper.A4))
    assert text.count("\f") == 2 and len(re.findall("n° 12-", text)) == 16
