"""The code on a ticket: made so that it is read aloud, typed and checked without help. Pure.

Nine symbols of an alphabet of 31, which is prime and has none of 0 O 1 I L. Eight are drawn at random (39.6 bits); the
ninth makes the sum of all, weighted 2 to 9 and 1, a multiple of 31. Every single wrong symbol and every swap of two
is caught, because no two weights are equal modulo 31.
"""

from __future__ import annotations

import itertools
import operator
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from auth.denials import N_, Case, Incident, Plural, declare
from auth.errors import AuthError

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LOOK_ALIKES = "0O1IL"
RANDOM_SYMBOLS = 8
LENGTH = RANDOM_SYMBOLS + 1
POSSIBLE = len(ALPHABET) ** RANDOM_SYMBOLS
# A little more than a code was typed as a code; much more is a sentence that may hold one.
LONGEST_TYPED = LENGTH + 3
LONGEST_READ = 2_000

# Shown beside the field. Its check symbol is wrong: whoever types it is told so, and no guess is counted.
EXAMPLE = "7K2-M9Q-XAJ"

# What nobody wants to read aloud at a desk, as far as the alphabet can spell it. French, English, and signs of hatred.
OBSCENE = (
    "PUTE", "PUTA", "PEDE", "CACA", "TEUB", "CHATT", "NEGR", "SEX", "GARCE", "MERD", "FESS", "ENCU", "BATARD",
    "CREVE", "SHAG", "FUCK", "CUNT", "TWAT", "RAPE", "ARSE", "FAG", "CUM", "ASS", "TURD", "WANK",
    "FART", "NAZ", "KKK", "88", "PEE",
)  # fmt: skip
_OBSCENE = re.compile("|".join(OBSCENE)).search
_READ_AS_LETTERS = str.maketrans("34578", "EASTB")
_VALUES = {symbol: value for value, symbol in enumerate(ALPHABET)}
_WEIGHTS = (*range(2, 2 + RANDOM_SYMBOLS), 1)
_IN_ALPHABET = re.compile(f"[{ALPHABET}]{{{LENGTH}}}").fullmatch
_IN_ADDRESS = re.compile(r"/PASS/([^/?#\s]+)")
_RUN = re.compile(r"[A-Z0-9]+")
_WORD = re.compile(r"[A-Z0-9-]+")


class UnreadableCode(AuthError):
    """What was typed cannot be the code of a ticket. No database was asked, and it counts as no attempt."""

    reason = declare(
        "unreadable_code",
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Case(
            "fault",
            {
                "no code": N_("There is no code here."),
                "too short": Plural(
                    "%(n)s character is missing.", "%(n)s characters are missing.", "missing"
                ),
                "too long": Plural(
                    "%(n)s character is too many.", "%(n)s characters are too many.", "surplus"
                ),
                "look-alike": N_("Codes never contain 0, O, 1, I or L."),
                "check symbol": N_("One character is wrong, or two are swapped."),
            },
        ),
        Case(
            "fault",
            {
                "no code": N_("Type the 9 characters of your ticket, like %(example)s."),
                "too short": N_("A code has 9, like %(example)s."),
                "too long": N_("A code has 9, like %(example)s."),
                "look-alike": N_("Check character number %(position)s."),
                "check symbol": N_("Compare with your ticket, group by group."),
            },
        ),
        incident=Incident(
            N_("Mistyped code"),
            N_(
                "What was typed cannot be the code of a pass. Nothing was looked up, and it counts as no attempt."
            ),
            N_("Compare with the ticket, group by group."),
            report=N_("Code of a pass mistyped"),
        ),
        form_field="code",
        facts={
            "missing": N_("Characters missing: %(missing)s."),
            "surplus": N_("Characters too many: %(surplus)s."),
            "position": N_("A look-alike (0, O, 1, I, L) as character number %(position)s."),
            "fault": Case(
                "fault",
                {
                    "check symbol": N_(
                        "One character is wrong or two are swapped: the check symbol does not agree."
                    )
                },
            ),
        },
    )
    fault: ClassVar[str]

    @property
    def facts(self) -> Mapping[str, object]:
        return {"fault": self.fault, "example": EXAMPLE, **vars(self)}


class NoCode(UnreadableCode):
    """There is no code in the text."""

    fault = "no code"


@dataclass(eq=False)
class TooShort(UnreadableCode):
    """`missing` symbols are missing."""

    fault = "too short"
    missing: int


@dataclass(eq=False)
class TooLong(UnreadableCode):
    """There are `surplus` symbols too many."""

    fault = "too long"
    surplus: int


@dataclass(eq=False)
class LookAlike(UnreadableCode):
    """The symbol at `position`, counted from 1, is one that no code has: 0, O, 1, I or L."""

    fault = "look-alike"
    position: int
    symbol: str


class FailedCheck(UnreadableCode):
    """The check symbol does not agree: a symbol is wrong, or two are swapped."""

    fault = "check symbol"


def make(choose: Callable[[str], str] = secrets.choice) -> str:
    """A new code, without an obscene word in it. `choose` picks one symbol of a text, as `secrets.choice` does."""
    while True:
        body = "".join([choose(ALPHABET) for _ in range(RANDOM_SYMBOLS)])
        code = body + check_symbol(body)
        if not is_obscene(code):
            return code


def check_symbol(body: str) -> str:
    """The symbol after a body of at most eight: ``7K2M9QXA`` has ``H``."""
    return ALPHABET[-_weighted(body) % len(ALPHABET)]


def is_valid(code: str) -> bool:
    """Whether `code` is nine symbols of the alphabet that agree."""
    return _IN_ALPHABET(code) is not None and _weighted(code) % len(ALPHABET) == 0


def is_obscene(code: str) -> bool:
    return bool(_OBSCENE(code) or _OBSCENE(code.translate(_READ_AS_LETTERS)))


def show(code: str) -> str:
    """The code as it is printed: ``7K2-M9Q-XAH``."""
    return "-".join(code[start : start + 3] for start in range(0, len(code), 3))


def read(text: str) -> str:
    """The code in `text`, whatever its case, width, spaces, hyphens and accents, and what was pasted around it.

    Raises `NoCode`, `TooShort`, `TooLong`, `LookAlike` or `FailedCheck`.
    """
    folded = fold(text[:LONGEST_READ])
    if found := _IN_ADDRESS.search(folded):
        folded = found[1]
    runs = _RUN.findall(folded)
    typed = "".join(runs)
    for candidate in itertools.chain(_words(folded), _windows(runs)):
        if is_valid(candidate):
            return candidate
    if len(typed) > LONGEST_TYPED:
        # A sentence: say what is wrong with the one word in it that looks like a code.
        typed = next((word for word in _words(folded) if any(map(str.isdigit, word))), "")
    raise _fault(typed)


def _fault(typed: str) -> UnreadableCode:
    if not typed:
        return NoCode()
    for position, symbol in enumerate(typed, start=1):
        if symbol in LOOK_ALIKES:
            return LookAlike(position, symbol)
    if len(typed) < LENGTH:
        return TooShort(LENGTH - len(typed))
    return TooLong(len(typed) - LENGTH) if len(typed) > LENGTH else FailedCheck()


def _weighted(symbols: str) -> int:
    return sum(map(operator.mul, _WEIGHTS, map(_VALUES.__getitem__, symbols)))


def fold(text: str) -> str:
    """Upper case of ordinary width, accents apart from their letters, every dash a hyphen."""
    if text.isascii():
        return text.upper()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).upper())
    return "".join("-" if unicodedata.category(sign) == "Pd" or sign == "\u2212" else sign for sign in plain)


def _words(folded: str) -> Iterator[str]:
    """Unbroken or hyphenated words as long as a code."""
    for word in _WORD.findall(folded):
        if len(bare := word.replace("-", "")) == LENGTH:
            yield bare


def _windows(runs: list[str]) -> Iterator[str]:
    """Neighbouring runs that together are as long as a code."""
    for start in range(len(runs)):
        joined = ""
        for run in runs[start:]:
            joined += run
            if len(joined) >= LENGTH:
                break
        if len(joined) == LENGTH:
            yield joined
