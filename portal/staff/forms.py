"""The forms' own tokens: sealed, bound to one sign-in, good for as long as a sign-in lasts.

Beside them `portal.http.security_headers` refuses every post that a browser says came from elsewhere. A
form that makes something is carried out once: sent again, it leads where it led the first time
(`auth.api_tokens.form_results`).
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from flask import request
from markupsafe import Markup
from sqlalchemy.orm import Session

from auth.api_tokens import form_results
from auth.api_tokens.form_results import CodeSource, Sent
from auth.denials import N_, Denial, declare
from auth.staff.models import StaffAnswer
from auth.staff.roles import LONGEST_SIGNIN
from auth.tokens import ExpiredToken, InvalidToken
from portal.services import services
from portal.staff.login import browser, me

FIELD = "form"
PURPOSE = "staff form"


class ForeignForm(Denial):
    """The form is not of this sign-in, or too old."""

    reason = declare(
        "other_signin",
        HTTPStatus.FORBIDDEN,
        N_("This form is not from your present sign-in."),
        N_("Nothing was changed. Open the page again and repeat what you did."),
    )


class EarlierForm(ForeignForm):
    """The form is ours, of a sign-in that is over: who typed into it may carry that into another one.

    `typed_by` is the account whose sign-in it was; None without a sign-in.
    """

    def __init__(self, typed_by: int | None) -> None:
        super().__init__()
        self.typed_by = typed_by


class FormerCodes(Denial):
    """What another sign-in was shown once: nobody can draw it any more."""

    reason = declare(
        "shown_once",
        HTTPStatus.GONE,
        N_("This cannot be shown any more."),
        N_(
            "What is secret is kept nowhere, and shown only while the sign-in that made it lasts. "
            "Make a new one. Passes: their batch stands in the list; replace one there, or void what is left."
        ),
    )


def form_field() -> Markup:
    """The hidden field that every form of staff holds."""
    service = services()
    person = me()
    claims = {"for": browser().binding, "who": person.id if person else None}
    token = service.tokens.sign(PURPOSE, claims, now=service.clock(), life=LONGEST_SIGNIN)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)


def check_form() -> None:
    """Raises `ForeignForm` unless this sign-in was given the form; `EarlierForm` where another one of ours was."""
    claims = form_claims()
    if claims["for"] != browser().binding:
        raise EarlierForm(claims.get("who"))


def use_form(db: Session, *, place: str = "", beside: str = "") -> StaffAnswer:
    """Claim this form, in the transaction of what it does; it leads to `place`.

    `beside` tells apart what came with its fields: the digest of a file.

    Raises `auth.api_tokens.errors.SentBefore` where it was carried out already, word for word.
    """
    here = browser()
    if here.row_id is None:
        raise ForeignForm
    fields = sorted(
        pair for pair in request.form.items(multi=True) if pair[0] != FIELD and "password" not in pair[0]
    )
    wish = json.dumps([form_claims()["jti"], request.path, fields, *([beside] if beside else [])])
    sent = Sent(here.row_id, here.token, wish)
    return form_results.claim(db, sent, now=services().clock(), place=place)


def source_of(answer: StaffAnswer) -> CodeSource:
    """What this form shows once is drawn from it: nobody has all of it but the browser of this sign-in."""
    return form_results.source(answer, token=browser().token, keys=services().voucher_keys)


def drawn_for(db: Session, answer_id: int) -> CodeSource:
    """The same for a form of this sign-in that was answered before. Raises `FormerCodes` for those of any other."""
    answer = form_results.find(db, answer_id, session_id=browser().row_id or 0)
    if answer is None:
        raise FormerCodes
    return source_of(answer)


def form_claims() -> dict[str, Any]:
    """What the form's token says: `for` which sign-in, of `who`, and its own number (`jti`). Raises `ForeignForm`."""
    service = services()
    try:
        return service.tokens.verify(PURPOSE, request.form.get(FIELD, ""), now=service.clock())
    except ExpiredToken as error:
        raise EarlierForm(error.claims.get("who")) from error
    except InvalidToken as error:
        raise ForeignForm from error
