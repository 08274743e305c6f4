"""The limits against guessing: how they stand, and giving one device or card its tries back."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth import limits as counts
from auth.blocks.errors import UnusableBlock
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.i18n.translation import in_words, say
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.operations.block_form import targets, text


@staff.get("/limits")
@needs(Action.LIMITS)
def limits() -> AnyResponse:
    return _page(None)


@staff.post("/limits")
@needs(Action.LIMITS)
def give_back_tries() -> AnyResponse:
    """Let one device or one card try again at once. Who it is stands in no address and in no entry."""
    try:
        names = set(targets(text("who")))
        if not names:
            raise UnusableBlock("who")
        if not text("reason"):
            raise UnusableBlock("reason")
        with services().make_session.begin() as db:
            answer = use_form(db)
            actor, now = current_staff().actor, services().clock()
            cleared = counts.give_back(db, names, reason=text("reason"), actor=actor, now=now)
            answer.place = url_for("staff.limits", cleared=cleared)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except Denial as error:
        if not isinstance(error, UnusableBlock):
            raise
        return _page(error)


def _page(error: Denial | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = render_template(
            "staff/limits.html",
            refusal=refusal,
            standings=counts.standings(db, now=services().clock()),
            counted_in_words=_counted_in_words,
            in_words=in_words,
            cleared=request.args.get("cleared", type=int),
            who_is_it=text("who"),
            reason=text("reason"),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _counted_in_words(counted: counts.Counted) -> str:
    return {
        counts.Counted.CARD: say("Wrong PINs of one card"),
        counts.Counted.DEVICE_CARDS: say("Wrong cards and PINs from one device"),
        counts.Counted.SITE_CARDS: say("Wrong cards and PINs at one place"),
        counts.Counted.DEVICE_PASSES: say("Wrong codes of passes from one device"),
        counts.Counted.GATEWAY_PASSES: say("Wrong codes of passes at one gateway"),
        counts.Counted.SITE_PASSES: say("Wrong codes of passes at one place"),
        counts.Counted.ALL_PASSES: say("Wrong codes of passes everywhere"),
        counts.Counted.DEVICE_RESUMING: say("Wrong codes for the rest of the time from one device"),
        counts.Counted.NETWORK_RESUMING: say("Wrong codes for the rest of the time on one network"),
    }[counted]
