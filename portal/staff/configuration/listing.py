"""The records of one kind: those of one's networks, looked for by words."""

from __future__ import annotations

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth.records import visible
from db.engine import reading
from db.folding import folded
from portal.records.kinds import RecordPages
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.configuration.routes import RecordView, address
from portal.staff.configuration.words import CellWords
from sites.import_export.records import current_cells


def list_page(pages: RecordPages) -> AnyResponse:
    words = request.args.get("words", "").strip()[:80]
    with reading(services().make_session) as db:
        mine = current_cells(db, visible(pages.kind, current_staff().authority.networks))
        told = CellWords(db, pages)
        rows = [(key, [told(name, cells) for name in pages.listed]) for key, cells in mine.items()]
    found = [row for row in rows if matches(words, row[0], *row[1])]
    page = render_template(
        "staff/configuration/list.html",
        pages=pages,
        heads=[told.label(name) for name in pages.listed],
        rows=sorted(found, key=lambda row: folded(row[1][0])),
        words=words,
        is_empty=not rows,
        address=address,
    )
    return make_response(page)


def matches(words: str, *texts: str) -> bool:
    """Whether every word that is looked for stands in the texts, without accents and case."""
    there = folded(" ".join(texts))
    return all(word in there for word in folded(words).split())


VIEWS: dict[str, RecordView] = {"list": RecordView("", "GET", list_page)}
