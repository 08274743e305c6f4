"""Arabic letters as they stand in a word: a letter that joins its neighbours is much narrower than alone.

Unicode has a code point for each form (block Arabic Presentation Forms-B), and the font its width under it. The press
shapes the text itself; this is for measuring it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache

FIRST, LAST = 0xFE70, 0xFEFC


def joined(text: str) -> str:
    """`text` with each letter in the form that its neighbours give it. Ligatures are left apart: they are no wider."""
    forms = _forms()
    letters = [sign for sign in text if not unicodedata.combining(sign)]
    return "".join(
        _form(forms, before, letter, after)
        for before, letter, after in zip(["", *letters], letters, [*letters[1:], ""], strict=False)
    )


def _form(forms: Mapping[str, Mapping[str, str]], before: str, letter: str, after: str) -> str:
    own = forms.get(letter, {})
    joins_before = "final" in own and "initial" in forms.get(before, {})
    joins_after = "initial" in own and "final" in forms.get(after, {})
    names = {
        (True, True): "medial",
        (True, False): "final",
        (False, True): "initial",
        (False, False): "isolated",
    }
    return own.get(names[joins_before, joins_after], letter)


@cache
def _forms() -> dict[str, dict[str, str]]:
    """The forms of each letter by their names."""
    found: dict[str, dict[str, str]] = {}
    for number in range(FIRST, LAST + 1):
        name, *letters = unicodedata.decomposition(chr(number)).split() or [""]
        if len(letters) == 1:
            found.setdefault(chr(int(letters[0], 16)), {})[name.strip("<>")] = chr(number)
    return found
