"""Reads a catalogue as GNU gettext's manual has it ("The Format of PO Files"): what a page needs of it, and no more.

Babel's reader keeps comments, places and flags for translators and takes eight times as long, in the first request of
a language; `make messages` and the tests use that one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_ESCAPED = re.compile(r"\\(.)")
_MEANS = {"n": "\n", "t": "\t", "r": "\r"}
_PLURAL = re.compile(r"plural=([^;]+)")


@dataclass(slots=True)
class PoFile:
    """`texts` by what they translate, `plurals` by the singular, in the order of their forms."""

    texts: dict[str, str] = field(default_factory=dict)
    plurals: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def plural_rule(self) -> str:
        """Which form `n` takes, in C, from the head; that of English where there is none."""
        found = _PLURAL.search(self.texts.get("", ""))
        return found.group(1).strip() if found else "n != 1"


def read(path: Path) -> PoFile:
    found = PoFile()
    entry: dict[str, str] = {}
    keyword = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith('"'):
            entry[keyword] += _unquoted(line)
        elif not line or line.startswith("#"):
            _keep(found, entry)
            entry = {}
        else:
            keyword, _, rest = line.partition(" ")
            if keyword == "msgid":
                _keep(found, entry)
                entry = {}
            entry[keyword] = _unquoted(rest)
    _keep(found, entry)
    return found


def _unquoted(text: str) -> str:
    bare = text.strip()[1:-1]
    return _ESCAPED.sub(lambda sign: _MEANS.get(sign[1], sign[1]), bare) if "\\" in bare else bare


def _keep(found: PoFile, entry: dict[str, str]) -> None:
    if not entry:
        return
    source = entry["msgid"]
    if "msgid_plural" in entry:
        forms = len(entry) - 2
        found.plurals[source] = tuple(entry[f"msgstr[{form}]"] for form in range(forms))
    elif entry["msgstr"]:
        found.texts[source] = entry["msgstr"]
