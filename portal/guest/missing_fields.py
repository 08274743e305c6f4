"""What a form cannot be sent without: an empty field is named beside itself. Nothing is counted or written down."""

from __future__ import annotations

from http import HTTPStatus

from auth.denials import N_
from auth.patrons.login_names import is_blank
from portal.denials.rendering import Refusal
from portal.here import this_request
from portal.i18n.translation import say


def missing_in_signin() -> Refusal | None:
    """The form of card and PIN again, where one of them is empty; None where both are there."""
    return _missing({"login": N_("Type your card number."), "secret": N_("Type your PIN.")})


def missing_in_pass() -> Refusal | None:
    """The form of a day pass again, where it is empty."""
    return _missing({"code": N_("Type the code of your pass.")})


def missing_resume_code() -> Refusal | None:
    """The form of the code that gives back the rest of the time again, where it is empty."""
    return _missing({"code": N_("Type the code that you kept.")})


def _missing(wanted: dict[str, str]) -> Refusal | None:
    form = this_request().form
    beside = {name: say(text) for name, text in wanted.items() if is_blank(form.get(name, ""))}
    if not beside:
        return None
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "", "", field=next(iter(beside)), beside=beside)
