"""Tokens of programs: who may ask for passes by themselves, made and revoked. For administrators."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.api_tokens import service as api_tokens
from auth.api_tokens.models import ApiToken
from auth.api_tokens.scopes import LONGEST_LIFE, USUAL_LIFE, Scope, may_hand_out
from auth.api_tokens.service import TokenRequest
from auth.staff.errors import BeyondAuthority, StaffError
from auth.staff.roles import NO_NETWORK, Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.accounts.networks import networks_chosen, networks_of_mine
from portal.staff.accounts.token_words import day_in_words, scope_in_words
from portal.staff.forms import FormerCodes, drawn_for, source_of, use_form


@staff.get("/tokens")
@needs(Action.TOKENS, confirmed=True)
def tokens() -> AnyResponse:
    return _page(None)


@staff.post("/tokens")
@needs(Action.TOKENS, confirmed=True)
def make_token() -> AnyResponse:
    """Make a token; it leads to the page that shows it."""
    service, me = services(), current_staff()
    try:
        wanted = replace(_wish(), networks=networks_chosen())
        if not may_hand_out(me.authority, wanted.networks):
            raise BeyondAuthority
        with service.make_session.begin() as db:
            answer = use_form(db)
            made = api_tokens.make(
                db,
                tokens=service.tokens,
                issuer=service.settings.portal_url,
                wish=wanted,
                actor=me.actor,
                now=service.clock(),
                make_jti=lambda: source_of(answer).token,
            )
            answer.place = url_for("staff.made_token", token_id=made.row.id, answer_id=answer.id)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except StaffError as error:
        return _page(error)


@staff.get("/tokens/<int(max=2147483647):token_id>/made/<int(max=2147483647):answer_id>")
@needs(Action.TOKENS, confirmed=True)
def made_token(token_id: int, answer_id: int) -> AnyResponse:
    """The token that a form of this sign-in made. Raises `FormerCodes`."""
    service = services()
    with reading(service.make_session) as db:
        row = db.get(ApiToken, token_id)
        if row is None or not may_hand_out(current_staff().authority, row.authority.networks):
            abort(HTTPStatus.NOT_FOUND)
        jti, issuer = drawn_for(db, answer_id).token, service.settings.portal_url
        token = api_tokens.again(row, jti, tokens=service.tokens, issuer=issuer)
        if token is None:
            raise FormerCodes
        page = render_template("staff/token.html", made=row, token=token, day_in_words=day_in_words)
    return make_response(page)


@staff.post("/tokens/<int(max=2147483647):token_id>/revoke")
@needs(Action.TOKENS, confirmed=True)
def revoke_token(token_id: int) -> AnyResponse:
    """Take a token back: the next request with it is refused, at whichever worker."""
    service = services()
    with service.make_session.begin() as db:
        row = db.get(ApiToken, token_id)
        if row is None or not may_hand_out(current_staff().authority, row.authority.networks):
            abort(HTTPStatus.NOT_FOUND)
        api_tokens.revoke(db, row, actor=current_staff().actor, now=service.clock())
    return redirect(url_for("staff.tokens"), HTTPStatus.SEE_OTHER)


def _wish() -> TokenRequest:
    """What the form asks for: only words of the policy can be given."""
    days = request.form.get("days", "").strip()
    return TokenRequest(
        name=request.form.get("name", "").strip()[:80],
        scopes=frozenset(scope for scope in Scope if scope.value in request.form.getlist("scopes")),
        networks=frozenset(request.form.getlist("networks")) or NO_NETWORK,
        life=timedelta(days=int(days) if days.isascii() and days.isdigit() and len(days) < 6 else 0),
    )


def _page(error: StaffError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = render_template(
            "staff/tokens.html",
            refusal=refusal,
            tokens=api_tokens.every(db, visible_to=current_staff().authority),
            networks=networks_of_mine(db),
            reach=request.form.get("reach", ""),
            scopes=list(Scope),
            scope_in_words=scope_in_words,
            day_in_words=day_in_words,
            wanted=_wish(),
            days=request.form.get("days", str(USUAL_LIFE.days))[:6],
            most_days=LONGEST_LIFE.days,
            now=services().clock(),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)
