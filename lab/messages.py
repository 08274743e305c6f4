"""Bring the catalogues up to date with the sources: ``make messages``.

Babel's extractor finds the texts. An entry that nothing uses any more is taken out; a new text is added at the end,
with nothing for its translation, which a person writes. All other lines stay as they were written by hand.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from portal.i18n.catalogues import FOLDER

ROOT = Path(__file__).parents[1]
KEYWORDS = {
    "_": None,
    "N_": None,
    "say": None,
    "say_in": (2,),
    "many": (1, 2),
    "say_number": (1, 2),
    "Plural": (1, 2),
}
SOURCES = (
    ("jinja2.ext:babel_extract", "templates/**/*.html"),
    *(("python", f"{room}/**/*.py") for room in ("portal", "ads", "sessions", "auth")),
)
WIDTH = 110
# A text, or one and many.
Text = str | tuple[str, ...]


def used_texts() -> Iterator[Text]:
    """Every text that a page or the portal says, in the order of the sources."""
    for method, pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            for _, text, _, _ in extract_from_file(method, path, keywords=KEYWORDS):
                yield text


def key(text: Text | list[str]) -> str:
    """What an entry is known by: the text, or the first of its forms."""
    return text if isinstance(text, str) else text[0]


def updated(content: str, used: Iterable[Text]) -> str:
    """The catalogue `content` with an entry for each of `used` and for no other text."""
    wanted = {key(text): text for text in used}
    known = set()
    kept = []
    for block in content.rstrip("\n").split("\n\n"):
        found = [key(message.id) for message in read_po(io.StringIO(block)) if message.id]
        known.update(found)
        if not found or wanted.keys() & set(found):
            kept.append(block)
    return "\n\n".join([*kept, *_entries(text for name, text in wanted.items() if name not in known)]) + "\n"


def _entries(texts: Iterable[Text]) -> Iterator[str]:
    for text in texts:
        catalogue = Catalog()
        catalogue.add(text)
        written = io.BytesIO()
        write_po(written, catalogue, width=WIDTH, omit_header=True)
        yield written.getvalue().decode().strip("\n")


def untranslated(content: str) -> list[str]:
    """The texts that have no translation yet, or one without all its forms."""
    return [
        key(message.id)
        for message in read_po(io.StringIO(content))
        if message.id and not (message.string and all(message.string))
    ]


def main() -> None:
    used = list(used_texts())
    for path in sorted(FOLDER.glob("*.po")):
        before = path.read_text("utf-8")
        after = updated(before, used)
        path.write_text(after, "utf-8")
        print(f"{path.name}: {'changed' if after != before else 'up to date'}")
        for text in untranslated(after):
            print(f"  to translate: {text}")


if __name__ == "__main__":
    main()
