"""A form that met a sign-in which had ended is carried over it: nobody types twice what was typed already.

Passwords and codes are never carried. What was typed goes through the sign-in pages signed, and from there into the
browser's session, until it is shown once more with a button that sends it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from flask import request
from flask import session as browser_session

from auth.tokens import InvalidToken
from portal.services import services
from portal.staff.forms import FIELD

PURPOSE, LIFE = "staff carried form", timedelta(hours=1)
IN_SESSION, CARRIED = "carried", "carried"
LONGEST = 30_000
# The field of the question "Is it still you?", where it stands on the way of a form.
STILL_ME = "password_of_now"
# A password is typed anew, codes stand on paper, and the others belong to the sign-in that is over.
NEVER = {FIELD, "password", "new", "old", "again", "code", "step", "slips", CARRIED, STILL_ME}


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


def sign() -> str:
    """The form of this request for a hidden field of the sign-in pages; empty where there is nothing to carry."""
    if not holds_something():
        return ""
    service = services()
    return service.tokens.seal(PURPOSE, asdict(written()), now=service.clock(), life=LIFE)


def passed_on() -> str:
    """The hidden field as the sign-in page was given it."""
    return request.form.get(CARRIED, "")


def arrive() -> bool:
    """After the sign-in: put the form that came along into the browser's session; False where none came."""
    service = services()
    try:
        claims: dict[str, Any] = service.tokens.unseal(PURPOSE, passed_on(), now=service.clock())
    except InvalidToken:
        return False
    keep(Carried(claims["path"], [(name, text) for name, text in claims["fields"]]))
    return True


def keep(form: Carried) -> None:
    browser_session[IN_SESSION] = [form.path, [list(field) for field in form.fields]]


def kept() -> Carried | None:
    """The form that waits in this browser's session."""
    found = browser_session.get(IN_SESSION)
    return Carried(found[0], [(name, text) for name, text in found[1]]) if found else None


def let_go() -> None:
    browser_session.pop(IN_SESSION, None)
