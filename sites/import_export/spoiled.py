"""What spreadsheets make of cells without asking: errors, wrong letters, lost digits, dates that were none.

Each function takes the text of a cell and raises ValueError with what happened and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateways.sentences import Sentence

# The errors of Excel and LibreOffice, in English and in French.
_ERROR = re.compile(
    r"#(?:N/A|REF!?|VALUE!|VALEUR!?|NAME\?|NOM\??|DIV/0!|NULL!|NUL!|NUM!|NOMBRE!|SPILL!|PROPAGATION!|CALC!|CHAMP!|FIELD!|"
    r"GETTING_DATA)|Err:\d{3}",
    re.IGNORECASE,
)
_TOO_NARROW = re.compile(r"#{3,}")
# UTF-8 that was read as Windows-1252: Ã and ©, â€ and ™.
_WRONG_LETTERS = re.compile(
    r"\ufffd|Ã[\u0080-\u00bf\u0192\u201a-\u203a\u0160\u0152\u017d\u20ac]|â€[™œ\u009d˜“”¦]|Â[\u00a0°«»]"
)
_ROUNDED = re.compile(r"-?\d+(?:[.,]\d+)?[eE]\+\d{1,3}")
_DECIMAL = re.compile(r"\d+[.,]0+")
_MONTHS = r"janv?|févr?|fev|feb|mars?|avr|apr|mai|may|juin|jun|juil|jul|août|aout|aug|sept?|oct|nov|déc|dec"
_MONTH_NAMED = re.compile(
    rf"(?:\d{{1,2}}[-/ .](?:{_MONTHS})\.?(?:[-/ .]\d{{2,4}})?|(?:{_MONTHS})\.?[-/ .]\d{{1,4}})", re.IGNORECASE
)
_DATE = re.compile(
    r"\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?(?: \d{1,2}:\d{2}(?::\d{2})?)?|\d{4}-\d{2}-\d{2}(?:[ T].*)?"
)
_AS_TEXT = Sentence("format the column as text, put it right and save again")
# A spreadsheet keeps fifteen digits of a number and makes zeros of the rest.
_KEPT_DIGITS = 15


def check_cell(text: str) -> None:
    """For every cell."""
    bare = text.strip()
    if _ERROR.fullmatch(bare):
        raise ValueError(
            Sentence(
                "%(text)s is an error of the spreadsheet and no value: mend its formula and save again",
                text=bare,
            )
        )
    if _TOO_NARROW.fullmatch(bare):
        raise ValueError(Sentence("##### is what a column shows that is too narrow: widen it and save again"))
    if _WRONG_LETTERS.search(text):
        raise ValueError(
            Sentence(
                "holds letters that were read in a wrong encoding: save the original again as 'CSV UTF-8'"
            )
        )


def check_secret(text: str) -> None:
    """For a PIN, which nobody may repeat: the reasons do not hold it."""
    if _ROUNDED.fullmatch(text):
        raise ValueError(Sentence("is a rounded number with an exponent: %(advice)s", advice=_AS_TEXT))
    if _DECIMAL.fullmatch(text):
        raise ValueError(Sentence("is a number with decimals: %(advice)s", advice=_AS_TEXT))
    if _MONTH_NAMED.fullmatch(text):
        raise ValueError(Sentence("was made a date: %(advice)s", advice=_AS_TEXT))


def check_identifier(text: str) -> None:
    """For a number that names something, such as that of a card."""
    if _ROUNDED.fullmatch(text):
        raise ValueError(
            Sentence(
                "'%(text)s' is a rounded number, its digits are lost: %(advice)s",
                text=text,
                advice=_AS_TEXT,
            )
        )
    if _DECIMAL.fullmatch(text):
        raise ValueError(
            Sentence("'%(text)s' was made a number with decimals: %(advice)s", text=text, advice=_AS_TEXT)
        )
    if _MONTH_NAMED.fullmatch(text) or _DATE.fullmatch(text):
        raise ValueError(Sentence("'%(text)s' was made a date: %(advice)s", text=text, advice=_AS_TEXT))


def lost_digits(texts: Sequence[str]) -> Sentence | None:
    """Why a column of numbers cannot be what it was, if all with more than 15 digits end in zeros."""
    long = [text for text in texts if text.isdecimal() and len(text) > _KEPT_DIGITS]
    if len(long) > 2 and all(not text[_KEPT_DIGITS:].strip("0") for text in long):
        return Sentence(
            "all end in zeros after %(digits)s digits, because a spreadsheet keeps no more: %(advice)s",
            digits=_KEPT_DIGITS,
            advice=_AS_TEXT,
        )
    return None


def lost_zeros(texts: Sequence[str], *, least_length: int) -> tuple[int, frozenset[int]] | None:
    """The usual length of a column of digits, and the places of those that are up to three digits shorter.

    None where the column has no usual length (that of nine in ten, at least `least_length`), fewer than ten numbers,
    or where some begin with a zero: then nothing took the zeros away.
    """
    digits = {place: text for place, text in enumerate(texts) if text.isdecimal()}
    lengths = [len(text) for text in digits.values()]
    if len(lengths) < 10 or any(text.startswith("0") for text in digits.values()):
        return None
    usual = max(set(lengths), key=lengths.count)
    if usual < least_length or lengths.count(usual) < 0.9 * len(lengths):
        return None
    short = frozenset(place for place, text in digits.items() if usual - 3 <= len(text) < usual)
    return (usual, short) if short else None
