"""What changed in a text, word by word: what stayed is shortened, what went and what came stands in full. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# So much of what stayed is left beside a change.
BESIDE = 60
# Beyond this whole lines are compared: words of two books against each other would take seconds.
MOST_WORDS = 2500


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that stayed, went or came."""

    fate: Literal["stayed", "went", "came"]
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The pieces of both texts in order."""
    cut = r"\S+\s*" if max(len(before.split()), len(after.split())) <= MOST_WORDS else r"[^\n]+\n*"
    old, new = re.findall(cut, before), re.findall(cut, after)
    found: list[Piece] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            is_first, is_last = not found, end == len(old)
            found.append(
                Piece("stayed", _shortened("".join(old[start:end]), is_first=is_first, is_last=is_last))
            )
            continue
        went, came = "".join(old[start:end]), "".join(new[new_start:new_end])
        found += [Piece("went", went)] if went else []
        found += [Piece("came", came)] if came else []
    return found


def _shortened(text: str, *, is_first: bool, is_last: bool) -> str:
    if len(text) <= 2 * BESIDE:
        return text
    beginning = "" if is_first else text[:BESIDE].rpartition(" ")[0]
    end = "" if is_last else text[-BESIDE:].partition(" ")[2]
    return f"{beginning} … {end}"
