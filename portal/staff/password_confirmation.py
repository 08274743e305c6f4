"""Showing once more who is at the keyboard, before what would hurt most in the wrong hands.

By the password, or by a passkey. A form that was sent meanwhile is not lost: the question holds its fields and sends
them on with the answer.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.errors import AuthError
from auth.staff.errors import WrongStaffCredentials
from auth.staff.models import Staff
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import carried_forms, passkey_challenges, staff
from portal.staff.access import asked_for, current_staff, is_confirmed, need_of, needs
from portal.staff.carried_forms import STILL_ME
from portal.staff.login import confirm
from portal.staff.password import onward, prove_password
from portal.staff.signin_form import LONGEST_CARRIED


@staff.before_request
def ask_again() -> AnyResponse | None:
    """Ask for the password where a view wants it and it was not shown of late."""
    need = need_of(request.endpoint or "")
    if need is None or not need.confirmed or is_confirmed():
        return None
    if request.method != "POST":
        return redirect(url_for("staff.confirm_page", next=asked_for()), HTTPStatus.SEE_OTHER)
    if STILL_ME not in request.form and not passkey_challenges.is_answered():
        return _question(None)
    try:
        _prove_again(request.form.get(STILL_ME, ""))
    except AuthError as error:
        return _question(error)
    confirm()
    return None


@staff.get("/confirm")
@needs(Action.OWN_ACCOUNT)
def confirm_page() -> AnyResponse:
    return _page(None)


@staff.post("/confirm")
@needs(Action.OWN_ACCOUNT)
def confirm_password() -> AnyResponse:
    try:
        _prove_again(request.form.get("password", ""))
    except AuthError as error:
        return _page(error)
    confirm()
    return redirect(onward(), HTTPStatus.SEE_OTHER)


@staff.get("/carried")
@needs(Action.OWN_ACCOUNT)
def carried_form() -> AnyResponse:
    """What was typed before the sign-in ended, with the button that sends it; or that somebody else had typed it."""
    form, is_others = carried_forms.kept(), carried_forms.OTHERS in request.args
    if form is None and not is_others:
        return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)
    return make_response(render_template("staff/carried.html", carried=None if is_others else form))


@staff.post("/carried")
@needs(Action.OWN_ACCOUNT)
def drop_carried() -> AnyResponse:
    """Forget the form that waits, unsent."""
    carried_forms.let_go()
    return redirect(url_for("staff.home"), HTTPStatus.SEE_OTHER)


@staff.after_request
def forget_carried(response: AnyResponse) -> AnyResponse:
    """A form that went through is not offered again."""
    if response.status_code >= HTTPStatus.BAD_REQUEST or carried_forms.CARRIED not in request.form:
        # Of one that was too large nothing can be read, not even that.
        return response
    form = carried_forms.kept()
    if form is not None and form.path == request.path:
        carried_forms.let_go()
    return response


def _prove_again(password: str) -> None:
    """By a passkey where one answered, else by the password. Raises what either raises."""
    if passkey_challenges.is_answered():
        passkey_challenges.prove_again(current_staff().id)
    elif prove_password(current_staff().login, password).id != current_staff().id:
        raise WrongStaffCredentials


def _again() -> str:
    """Where somebody of the directory shows it once more who they are; the form of this request goes with them."""
    is_form = request.method == "POST" and request.endpoint != "staff.confirm_password"
    carried = carried_forms.sign(current_staff().id) if is_form else ""
    kept = carried if len(carried) <= LONGEST_CARRIED else ""
    return url_for("staff.openid", again=1, next=onward(), carried=kept or None)


def _question(error: AuthError | None) -> AnyResponse:
    """The question on the way of a form that was sent, with its fields."""
    form = carried_forms.written()
    return _page(error, action=form.path, field=STILL_ME, fields=form.fields)


def _page(
    error: AuthError | None,
    *,
    action: str = "",
    field: str = "password",
    fields: list[tuple[str, str]] | None = None,
) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        passkey = passkey_challenges.ask_for_own(db, db.get_one(Staff, current_staff().id))
    page = render_template(
        "staff/confirm.html",
        passkey=passkey,
        again=_again() if not current_staff().has_password else None,
        refusal=refusal,
        onward=onward(),
        action=action or url_for("staff.confirm_password"),
        field=field,
        fields=fields,
    )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)
