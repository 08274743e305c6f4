"""The forms' own tokens: sealed, bound to one sign-in, good for as long as a sign-in lasts, and usable once if asked.

Beside them `portal.guard` refuses every post that a browser says came from elsewhere (case W4).
"""

from __future__ import annotations

from flask import request
from markupsafe import Markup
from sqlalchemy.orm import Session

from auth import limits
from auth.errors import TooManyAttempts
from auth.limits import Budget
from auth.staff_policy import LONGEST_SIGNIN
from auth.tokens import ExpiredToken, InvalidToken
from portal.services import services
from portal.staff.login import browser

FIELD = "form"
PURPOSE = "staff form"


class ForeignForm(Exception):
    """The form is not of this sign-in, or too old."""


class EarlierForm(ForeignForm):
    """The form is ours, of a sign-in that is over: what was typed into it may be carried into this one."""


class UsedForm(Exception):
    """This form was sent before: a double press, or a page that was loaded again."""


def form_field() -> Markup:
    """The hidden field that every form of staff holds."""
    service = services()
    claims = {"for": browser().binding}
    token = service.tokens.seal(PURPOSE, claims, now=service.clock(), life=LONGEST_SIGNIN)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token)


def check_form() -> None:
    """Raises `ForeignForm` unless this sign-in was given the form; `EarlierForm` where another one of ours was."""
    if _claims()["for"] != browser().binding:
        raise EarlierForm


def use_form(db: Session) -> None:
    """Use this form up, in the transaction of what it does. Raises `UsedForm` the second time."""
    once = Budget(f"form:{_claims()['jti']}", most=1, window=LONGEST_SIGNIN)
    try:
        limits.take(db, once, now=services().clock())
    except TooManyAttempts as error:
        raise UsedForm from error


def _claims() -> dict[str, str]:
    service = services()
    try:
        return service.tokens.unseal(PURPOSE, request.form.get(FIELD, ""), now=service.clock())
    except ExpiredToken as error:
        raise EarlierForm from error
    except InvalidToken as error:
        raise ForeignForm from error
