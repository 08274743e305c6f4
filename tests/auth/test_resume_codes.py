"""The code that gives back the rest of the time: readable, checked, of use on one network alone, not to be guessed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth import resume_codes
from auth.resume_codes import OF_NETWORK, RANDOM_SYMBOLS, ResumeCodes, UnreadableResumeCode
from auth.vouchers.codes import ALPHABET
from config import Secret
from tests.clock import NOON

CODES = ResumeCodes(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))
MAC = "02:00:00:00:0a:01"
CODE = CODES.of("wifilib", MAC, NOON)


def test_it_is_the_same_whenever_it_is_made_and_another_for_everything_else() -> None:
    assert CODES.of("wifilib", MAC, NOON + timedelta(microseconds=7)) == CODE
    others = [
        CODES.of("bibliotheques", MAC, NOON),
        CODES.of("wifilib", "02:00:00:00:0a:02", NOON),
        CODES.of("wifilib", MAC, NOON + timedelta(seconds=1)),
        ResumeCodes(Secret("another secret of the length that is asked")).of("wifilib", MAC, NOON),
    ]
    assert len({CODE, *others}) == 5


def test_what_is_kept_of_it_is_of_no_use_elsewhere() -> None:
    assert CODES.digest("wifilib", CODE) != CODES.digest("bibliotheques", CODE)
    assert CODE not in CODES.digest("wifilib", CODE)


@pytest.mark.parametrize(
    "typed",
    [
        "{code}",
        "{shown}",
        " {lower} ",
        "{spaced}",
        "{wide}",
        "https://portal.example.org/resume/{shown}?lang=fr",
    ],
)
def test_it_is_read_however_it_is_typed(typed: str) -> None:
    shown = resume_codes.show(CODE)
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in CODE)
    text = typed.format(code=CODE, shown=shown, lower=CODE.lower(), spaced=" ".join(CODE), wide=wide)
    assert resume_codes.read(text) == CODE
    assert resume_codes.read(shown.replace("-", "\u2011")) == CODE


@pytest.mark.parametrize("typed", ["", "?", CODE[:-1], CODE + "2", "0" + CODE[1:], "x" * 10_000])
def test_what_cannot_be_one_is_refused_without_looking(typed: str) -> None:
    with pytest.raises(UnreadableResumeCode):
        resume_codes.read(typed)


@pytest.mark.parametrize("place", range(8))
def test_every_single_wrong_symbol_is_caught(place: int) -> None:
    for symbol in ALPHABET.replace(CODE[place], ""):
        with pytest.raises(UnreadableResumeCode):
            resume_codes.read(CODE[:place] + symbol + CODE[place + 1 :])


def test_guessing_finds_one_of_ten_thousand_open_sessions_in_no_less_than_half_a_year() -> None:
    a_day = OF_NETWORK * 24 * 4
    assert len(ALPHABET) ** RANDOM_SYMBOLS / 10_000 / a_day > 180
