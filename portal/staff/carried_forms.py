"""A form that met a sign-in which had ended is carried over it: nothing has to be typed twice.

Passwords and codes are never carried, and a form is carried only to the person whose sign-in it was typed in.
It goes through the sign-in pages signed, and from there into the browser's session, until it is shown once more with a
button that sends it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flask import request, url_for
from flask import session as browser_session

from auth.tokens import InvalidToken
from portal.services import services
from portal.staff.forms import FIELD
from portal.staff.passkey_challenges import ANSWER, CHALLENGE

PURPOSE, LIFE = "staff carried form", timedelta(hours=1)
IN_SESSION, CARRIED = "carried", "carried"
# In the address of that page: the form was another person's.
OTHERS = "others"
LONGEST = 30_000
# The field of the question "Is it still you?", where it stands on the way of a form.
STILL_ME = "password_of_now"
# Secrets are typed anew; the others belong to the sign-in that is over. A test finds them in the templates.
NEVER = {"password", "code", "word", "step", STILL_ME, ANSWER, CHALLENGE, FIELD, CARRIED}


@dataclass(frozen=True, slots=True)
class Carried:
    """A form on its way: the address that it goes to, and its fields in their order."""

    path: str
    fields: list[tuple[str, str]]


def written() -> Carried:
    """The form of this request, without what is never carried."""
    fields = [(name, text) for name, text in request.form.items(multi=True) if name not in NEVER]
    return Carried(request.path, fields)


def holds_something() -> bool:
    """Whether there is anything in this form that somebody would have to type again."""
    fields = written().fields
    return bool(fields) and sum(len(name) + len(text) for name, text in fields) <= LONGEST


def sign(typed_by: int) -> str:
    """The form of this request, for a hidden field of the sign-in pages, with the account that typed it.

    Empty where there is nothing to carry.
    """
    if not holds_something():
        return ""
    service = services()
    claims = {**asdict(written()), "who": typed_by}
    return service.tokens.sign(PURPOSE, claims, now=service.clock(), life=LIFE)


def passed_on() -> str:
    """The hidden field as the sign-in page was given it."""
    return request.form.get(CARRIED, "")


def arrive(staff_id: int, signed: str | None = None) -> str | None:
    """After the sign-in of `staff_id`: keep the form that came along, if it is theirs. `signed`: not in a field.

    The address of the page that tells what became of it; None where no form came.
    """
    service = services()
    try:
        claims: dict[str, Any] = service.tokens.verify(
            PURPOSE, passed_on() if signed is None else signed, now=service.clock()
        )
    except InvalidToken:
        return None
    form = Carried(claims["path"], [(name, text) for name, text in claims["fields"]])
    # A form that a portal of an older version has signed names nobody.
    return _keep(form, typed_by=claims.get("who"), to=staff_id)


def hand_over(typed_by: int | None, *, to: int) -> str:
    """Keep the form of this request, if `to` is who typed it; the address of the page that tells which."""
    return _keep(written(), typed_by=typed_by, to=to)


def _keep(form: Carried, *, typed_by: int | None, to: int) -> str:
    if typed_by != to:
        return url_for("staff.carried_form", others=1)
    browser_session[IN_SESSION] = [form.path, [list(field) for field in form.fields]]
    return url_for("staff.carried_form")


def kept() -> Carried | None:
    """The form that waits in this browser's session."""
    found = browser_session.get(IN_SESSION)
    return Carried(found[0], [(name, text) for name, text in found[1]]) if found else None


def let_go() -> None:
    browser_session.pop(IN_SESSION, None)
