"""Anchors: small, readable, sealed, and readable again from a mail or a file that was not written to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth.audit.anchors import Anchor, AnchorSeals, ParsedAnchors
from config import Secret
from tests.clock import NOON

SEALS = AnchorSeals(Secret("a secret of the installation, long enough"))
ANCHOR = Anchor("portal.example.org", 812, bytes(range(32)), NOON)
LATER = Anchor("portal.example.org", 900, bytes(32), NOON + timedelta(hours=1))


def test_an_anchor_is_six_lines_that_people_can_compare() -> None:
    assert SEALS.text(ANCHOR).splitlines()[:5] == [
        "Arobase audit trail anchor",
        "portal: portal.example.org",
        "number: 812",
        f"hash: {bytes(range(32)).hex()}",
        "time: 2026-11-24T11:00:00+00:00",
    ]
    assert max(map(len, SEALS.text(ANCHOR).splitlines())) <= 72


def test_it_is_read_again() -> None:
    assert SEALS.read(SEALS.text(ANCHOR) + SEALS.text(LATER)) == ParsedAnchors((ANCHOR, LATER))


def test_it_is_read_from_a_mail_that_quotes_it() -> None:
    quoted = "\r\n".join(f"> {line}" for line in SEALS.text(ANCHOR).splitlines())
    assert SEALS.read(f"Hello,\r\n\r\n{quoted}\r\n\r\nBye").anchors == (ANCHOR,)


@pytest.mark.parametrize(
    ("old", "new"), [("812", "813"), ("00", "01"), ("T11:", "T12:"), ("example.org", "example.net")]
)
def test_no_word_of_it_can_be_changed(old: str, new: str) -> None:
    assert SEALS.read(SEALS.text(ANCHOR).replace(old, new, 1)) == ParsedAnchors((), foreign=1)


def test_another_installation_cannot_make_one() -> None:
    other = AnchorSeals(Secret("the secret of another installation, too"))
    assert SEALS.read(other.text(ANCHOR)) == ParsedAnchors((), foreign=1)


@pytest.mark.parametrize("kept", [1, 30, 60, 150, 200])
def test_one_that_was_not_written_to_its_end_is_passed_over(kept: int) -> None:
    torn = SEALS.text(LATER)[:-2][: len("Arobase audit trail anchor") + kept]
    assert SEALS.read(SEALS.text(ANCHOR) + torn + "\n" + SEALS.text(LATER)) == ParsedAnchors(
        (ANCHOR, LATER), unfinished=1
    )
    assert SEALS.read(SEALS.text(ANCHOR) + torn) == ParsedAnchors((ANCHOR,), unfinished=1)


def test_a_text_without_anchors_has_none() -> None:
    assert SEALS.read("nothing here: at all") == ParsedAnchors(())
