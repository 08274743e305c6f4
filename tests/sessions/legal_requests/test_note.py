"""The texts of the note are a file: the French one is whole, and what is wrong with a town's own is told."""

from __future__ import annotations

import re

import pytest

from sessions.legal_requests.finding import Doubt, Exactness, Identification, Why
from sessions.legal_requests.note import FRENCH, UnusableNote, read_note
from tests.sessions.legal_requests.rows import PARIS

FILE = FRENCH.read_text(encoding="utf-8")


def faults_of(text: str) -> list[str]:
    with pytest.raises(UnusableNote) as unusable:
        read_note(text.encode(), PARIS, operator="Le Havre")
    return unusable.value.faults


def test_the_french_note_has_a_text_for_everything_and_names_no_town() -> None:
    note = read_note(FRENCH.read_bytes(), PARIS, operator="Le Havre")
    for exactness in Exactness:
        for why in Why:
            assert note.exactness(Identification(exactness, why, ())).endswith(".")
    assert set(note.texts["doubts"]) == {doubt.name.lower() for doubt in Doubt}
    assert not re.search("Besançon|Doubs|Paris", FILE)


def test_what_is_wrong_with_a_file_is_told_text_by_text() -> None:
    assert faults_of("x = ") and "is not TOML" in faults_of("x = ")[0]
    assert faults_of(FILE.replace("nobody = ", "somebody = ")) == [
        "has no text nobody in [why]",
        "[why] knows no somebody",
    ]
    assert faults_of(FILE.replace("du {since}", "du {from}")) == [
        "[sentences] span: what stands in braces cannot be filled in: "
        "there is {kind}, {since}, {until}, {value}"
    ]
    assert faults_of(FILE.replace("{number}", "{number.__class__.x}"))
    assert faults_of(FILE.replace('site = "site"', 'site = "{site}"')) == [
        "[kinds] site: what stands in braces cannot be filled in: there is nothing"
    ]
