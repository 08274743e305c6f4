"""What a person typed: refused when it cannot be a login or a secret, and folded so that one card is one
card.

Everything here happens before any network call. An empty password makes a simple bind an *unauthenticated*
one, which many directories answer with success (RFC 4513 sections 5.1.2 and 6.3.1); text that only looks
empty may become so further down, because SASLprep maps it to nothing (RFC 4013 section 2.1).
"""

from __future__ import annotations

import unicodedata

from auth.errors import WrongCredentials

LONGEST = 256

# These print as nothing although Unicode counts them as letters, marks or symbols: fillers, joiners, blank
# braille.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
# Separators, formats, controls, surrogates, private and unassigned code points: none is the body of a secret.
_EMPTY_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cf", "Cc", "Cs", "Co", "Cn"})
_HYPHENS = frozenset("\u2212\u30fc")


def check_secret(secret: str | None) -> str:
    """Give `secret` back if it may be sent to a directory.

    Raises `WrongCredentials` when it is missing, blank, invisible, longer than 256 characters, or holds a
    control character or half a surrogate pair.
    """
    if not secret or len(secret) > LONGEST:
        raise WrongCredentials
    is_plain = secret.isascii() and secret.isprintable()
    if not is_plain and any(unicodedata.category(character) in ("Cc", "Cs") for character in secret):
        raise WrongCredentials
    if is_blank(secret):
        raise WrongCredentials
    return secret


def is_blank(text: str) -> bool:
    """Whether nothing of `text` can be seen: empty, spaces, or characters that print as nothing."""
    if text.isascii() and text.isprintable():
        return not text.strip(" ")
    return not any(_is_visible(character) for character in unicodedata.normalize("NFKC", text))


def compose(secret: str) -> str:
    """One form of what one keyboard sends as é and another as e and an accent (NFC). No sign becomes another one."""
    return unicodedata.normalize("NFC", secret)


def check_login(login: str | None) -> str:
    """Give `login` back as it was typed, without the blanks around it; raises as `check_secret` does."""
    typed = unicodedata.normalize("NFKC", check_secret(login)).strip()
    if not normalise_login(typed):
        raise WrongCredentials
    return typed


def normalise_login(login: str) -> str:
    """The one form of a login, for lookup and for limits: width and case folded, no spaces, hyphens or
    invisibles.

    ``２９-0001 2345`` and ``29 00012345`` are the same card. The result may be empty; `check_login` refuses
    that.
    """
    folded = login
    # Taking a character out lets its neighbours combine: the form is reached when nothing changes any more.
    for _ in range(4):
        before, folded = folded, _fold(folded)
        if folded == before:
            break
    return folded


def spellings_of(typed: str) -> tuple[str, ...]:
    """The spellings of a login in a directory, the likeliest first: as it was typed, in small letters, and folded."""
    return tuple(dict.fromkeys((typed, typed.casefold(), normalise_login(typed))))


def _fold(text: str) -> str:
    if text.isascii() and text.isprintable():
        # Nearly always. Among these the blank has no body, and one is a hyphen.
        return text.casefold().replace(" ", "").replace("-", "")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if _is_visible(character) and not _is_hyphen(character))


def _is_visible(character: str) -> bool:
    if character in _BLANK or 0xFE00 <= ord(character) <= 0xFE0F:
        return False
    return unicodedata.category(character) not in _EMPTY_CATEGORIES


def _is_hyphen(character: str) -> bool:
    return character in _HYPHENS or unicodedata.category(character) == "Pd"
