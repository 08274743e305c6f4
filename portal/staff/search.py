"""One box over everything that a person may see. What names a pass, a card or a device is posted, and stays out of
addresses; what is but a name leads to a page with an address of its own."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from db.engine import reading
from portal.services import services
from portal.staff import staff
from portal.staff.access import needs
from portal.staff.finders import Hit, find_everything, may_stand_in_an_address

LONGEST = 120


@staff.post("/search")
@needs(Action.OWN_ACCOUNT)
def search() -> AnyResponse:
    """To the one thing that was meant, else to the list of what has these words."""
    words = _tidy(request.form.get("words", ""))
    found = _found(words)
    if len(found) == 1 or (found and found[0].sure and not found[1:2][0].sure):
        return redirect(found[0].url, HTTPStatus.SEE_OTHER)
    if may_stand_in_an_address(words):
        return redirect(url_for("staff.search_page", words=words), HTTPStatus.SEE_OTHER)
    return _page(words, found)


@staff.get("/search")
@needs(Action.OWN_ACCOUNT)
def search_page() -> AnyResponse:
    words = _tidy(request.args.get("words", ""))
    if words and not may_stand_in_an_address(words):
        return redirect(url_for("staff.search_page"), HTTPStatus.SEE_OTHER)
    return _page(words, _found(words))


@staff.post("/search/typed")
@needs(Action.OWN_ACCOUNT)
def search_typed() -> AnyResponse:
    """What has the words that are typed so far, for a script: names alone. The log is looked through, which is on
    record, when somebody has typed to the end."""
    words, found = _tidy(request.form.get("words", "")), []
    if words:
        with reading(services().make_session) as db:
            found = find_everything(db, words, typing=True)
    return make_response(render_template("staff/search_found.html", words=words, found=found, live=True))


def _found(words: str) -> list[Hit]:
    if not words:
        return []
    with reading(services().make_session) as db:
        return find_everything(db, words)


def _page(words: str, found: list[Hit]) -> AnyResponse:
    return make_response(render_template("staff/search.html", words=words, found=found))


def _tidy(typed: str) -> str:
    return " ".join(typed.split())[:LONGEST]
