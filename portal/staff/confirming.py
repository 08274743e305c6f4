"""Showing once more who is at the keyboard, before what would hurt most in the wrong hands (case S3)."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from auth.errors import AuthError
from auth.staff_policy import Action
from portal.staff import staff
from portal.staff.access import needs, whoever
from portal.staff.login import confirm
from portal.staff.refusals import refusal_of
from portal.staff.signin import onward, prove_password


@staff.get("/confirm")
@needs(Action.OWN_ACCOUNT)
def confirm_page() -> AnyResponse:
    return make_response(render_template("staff/confirm.html", refusal=None, onward=onward()))


@staff.post("/confirm")
@needs(Action.OWN_ACCOUNT)
def confirm_password() -> AnyResponse:
    try:
        prove_password(whoever().login, request.form.get("password", ""))
    except AuthError as error:
        refusal = refusal_of(error)
        page = render_template("staff/confirm.html", refusal=refusal, onward=onward())
        return make_response(page, refusal.status)
    confirm()
    return redirect(onward(), HTTPStatus.SEE_OTHER)
