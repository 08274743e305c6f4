"""Bring the catalogues up to date with the sources: ``make messages``.

Babel's extractor finds the texts. An entry that nothing uses any more is taken out; a new text is added at the end,
with nothing for its translation, which a person writes. All other lines stay as they were written by hand.

A catalogue that is not whole has the texts that guests meet: those of their pages, by where they stand, and of the
denials that they may be given.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from auth.denials import Case, DenialReason, Plural
from auth.denials import Text as DenialText
from portal.denials import portal_reasons
from portal.denials.portal_reasons import WRITTEN_DOWN
from portal.i18n.catalogues import FOLDER, is_whole

ROOT = Path(__file__).parents[1]
KEYWORDS = {
    "_": None,
    "N_": None,
    "say": None,
    "say_in": (2,),
    "many": (1, 2),
    "say_number": (1, 2),
    "Plural": (1, 2),
    "Sentence": None,
}
SOURCES = (
    ("jinja2.ext:babel_extract", "templates/**/*.html"),
    *(("python", f"{room}/**/*.py") for room in ("portal", "ads", "sessions", "auth", "sites", "gateways")),
)
# Where a text stands that a guest may read: on a page, on a ticket, on what nginx shows in the portal's place.
OF_GUESTS = (
    ("jinja2.ext:babel_extract", "templates/guests/**/*.html"),
    ("jinja2.ext:babel_extract", "templates/shared/**/*.html"),
    ("python", "portal/guest/**/*.py"),
    ("python", "portal/i18n/labels.py"),
    ("python", "portal/i18n/retention_periods.py"),
    ("python", "portal/i18n/translation.py"),
    ("python", "portal/templating.py"),
    ("python", "portal/printing/from_vouchers.py"),
    ("python", "portal/printing/posters.py"),
    ("python", "portal/cli/nginx.py"),
)
# What a guest may be denied: it is written down as an incident, or is of the portal itself. The rest is for staff.
DENIALS_OF_GUESTS = (*WRITTEN_DOWN, portal_reasons)
WIDTH = 110
# A text, or one and many.
Text = str | tuple[str, ...]


def used_texts(sources: Iterable[tuple[str, str]] = SOURCES) -> Iterator[Text]:
    """Every text that a page or the portal says, in the order of the sources."""
    for method, pattern in sources:
        for path in sorted(ROOT.glob(pattern)):
            for _, text, _, _ in extract_from_file(method, path, keywords=KEYWORDS):
                yield text


def guest_texts() -> Iterator[Text]:
    """Every text that a guest may read."""
    yield from used_texts(OF_GUESTS)
    for module in DENIALS_OF_GUESTS:
        for declared in vars(module).values():
            reason = declared if isinstance(declared, DenialReason) else getattr(declared, "reason", None)
            if isinstance(reason, DenialReason) and (reason.incident or module is portal_reasons):
                yield from _plain(reason.title)
                yield from _plain(reason.advice)


def _plain(text: DenialText) -> Iterator[Text]:
    match text:
        case Plural(one=one, many=many):
            yield one, many
        case Case(texts=texts, otherwise=otherwise):
            for each in (*texts.values(), otherwise):
                yield from _plain(each)
        case "":
            return
        case str():
            yield text


def wanted_texts(code: str) -> list[Text]:
    """What the catalogue of this language must hold, and nothing else."""
    return list(used_texts() if is_whole(code) else guest_texts())


def key(text: Text | list[str]) -> str:
    """What an entry is known by: the text, or the first of its forms."""
    return text if isinstance(text, str) else text[0]


def updated(content: str, used: Iterable[Text], code: str) -> str:
    """The catalogue `content` of the language `code` with an entry for each of `used` and for no other text."""
    wanted = {key(text): text for text in used}
    known = set()
    kept = []
    for block in content.rstrip("\n").split("\n\n"):
        found = [key(message.id) for message in read_po(io.StringIO(block), locale=code) if message.id]
        known.update(found)
        if not found or wanted.keys() & set(found):
            kept.append(block)
    return (
        "\n\n".join([*kept, *_entries((text for name, text in wanted.items() if name not in known), code)])
        + "\n"
    )


def _entries(texts: Iterable[Text], code: str) -> Iterator[str]:
    for text in texts:
        catalogue = Catalog(locale=code)
        catalogue.add(text)
        written = io.BytesIO()
        write_po(written, catalogue, width=WIDTH, omit_header=True)
        yield written.getvalue().decode().strip("\n")


def untranslated(content: str, code: str) -> list[str]:
    """The texts that have no translation yet, or one without all its forms."""
    return [
        key(message.id)
        for message in read_po(io.StringIO(content), locale=code)
        if message.id and not (message.string and all(message.string))
    ]


def main() -> None:
    for path in sorted(FOLDER.glob("*.po")):
        before = path.read_text("utf-8")
        after = updated(before, wanted_texts(path.stem), path.stem)
        path.write_text(after, "utf-8")
        print(f"{path.name}: {'changed' if after != before else 'up to date'}")
        for text in untranslated(after, path.stem):
            print(f"  to translate: {text}")


if __name__ == "__main__":
    main()
