"""One's own account: password, passkeys, recovery codes, and the browsers that are signed in."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.staff import browser_sessions, own_account, passkeys, recovery
from auth.staff.errors import StaffError
from auth.staff.models import Staff
from auth.staff.roles import Action
from auth.staff.secrets import check_password
from auth.staff.totp import make_recovery_codes
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import passkey_challenges, staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import FormerCodes, drawn_for, source_of, use_form
from portal.staff.login import browser, sign_in


@staff.get("/account")
@needs(Action.OWN_ACCOUNT)
def account() -> AnyResponse:
    return _page(None)


@staff.post("/account/password")
@needs(Action.OWN_ACCOUNT, confirmed=True)
def change_password() -> AnyResponse:
    """Take a new password. Every other browser is signed out; this one goes on under a new token."""
    service = services()
    try:
        check_password(
            request.form.get("password", ""), login=current_staff().login, name=current_staff().name
        )
        password_hash = service.staff.hash(request.form.get("password", ""))
    except StaffError as error:
        return _page(error)
    me = current_staff()
    with service.make_session.begin() as db:
        person = own_account.change_password(db, me.id, password_hash, actor=me.actor, now=service.clock())
    sign_in(person)
    return redirect(url_for("staff.account"), HTTPStatus.SEE_OTHER)


@staff.post("/account/recovery")
@needs(Action.OWN_ACCOUNT, confirmed=True)
def new_recovery_codes() -> AnyResponse:
    """Make new recovery codes. The old ones are dead."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        answer = use_form(db)
        answer.place = url_for("staff.recovery_codes", answer_id=answer.id)
        codes = make_recovery_codes(source_of(answer).choose("recovery"))
        onward = redirect(answer.place, HTTPStatus.SEE_OTHER)
        digests, now = service.staff.recovery_digests(me.id, codes), service.clock()
        own_account.replace_recovery_codes(db, db.get_one(Staff, me.id), digests, actor=me.actor, now=now)
    return onward


@staff.get("/account/recovery/<int(max=2147483647):answer_id>")
@needs(Action.OWN_ACCOUNT)
def recovery_codes(answer_id: int) -> AnyResponse:
    """The recovery codes that a form of this sign-in made, until others are. Raises `FormerCodes`."""
    with reading(services().make_session) as db:
        codes = make_recovery_codes(drawn_for(db, answer_id).choose("recovery"))
        digests = services().staff.recovery_digests(current_staff().id, codes)
        if recovery.count_known(db, current_staff().id, digests) != len(codes):
            raise FormerCodes
    return make_response(render_template("staff/recovery.html", codes=codes, first=False))


@staff.post("/account/signout")
@needs(Action.OWN_ACCOUNT)
def signout_everywhere() -> AnyResponse:
    """Sign every browser out, this one too."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        own_account.sign_out_everywhere(db, me.id, actor=me.actor, now=service.clock())
    browser().clear()
    return redirect(url_for("staff.signin_page"), HTTPStatus.SEE_OTHER)


@staff.get("/account/passkey")
@needs(Action.OWN_ACCOUNT, confirmed=True)
def new_passkey() -> AnyResponse:
    return _passkey_page(None)


@staff.post("/account/passkey")
@needs(Action.OWN_ACCOUNT, confirmed=True)
def add_passkey() -> AnyResponse:
    """Keep the passkey that this browser has made."""
    service, me = services(), current_staff()
    try:
        with service.make_session.begin() as db:
            party, challenge = passkey_challenges.claim(db)
            passkeys.add(
                db,
                db.get_one(Staff, me.id),
                request.form.get(passkey_challenges.ANSWER, ""),
                party=party,
                challenge=challenge,
                name=request.form.get("name", ""),
                actor=me.actor,
                now=service.clock(),
            )
    except StaffError as error:
        return _passkey_page(error)
    return redirect(url_for("staff.account"), HTTPStatus.SEE_OTHER)


@staff.post("/account/passkey/<int(max=2147483647):passkey_id>/remove")
@needs(Action.OWN_ACCOUNT, confirmed=True)
def remove_passkey(passkey_id: int) -> AnyResponse:
    """Forget a passkey: it opens nothing any more, wherever it is."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        use_form(db, place=url_for("staff.account"))
        passkeys.remove(db, db.get_one(Staff, me.id), passkey_id, actor=me.actor, now=service.clock())
    return redirect(url_for("staff.account"), HTTPStatus.SEE_OTHER)


def _passkey_page(error: StaffError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = render_template(
            "staff/passkey_new.html",
            refusal=refusal,
            passkey=passkey_challenges.ask_for_new(db, db.get_one(Staff, current_staff().id)),
            name=request.form.get("name", "")[: passkeys.LONGEST_NAME],
        )
    return make_response(page, refusal.status if refusal else 200)


def _page(error: StaffError | None) -> AnyResponse:
    service, me = services(), current_staff()
    refusal = staff_page(error) if error else None
    with reading(service.make_session) as db:
        person = db.get_one(Staff, me.id)
        page = render_template(
            "staff/account.html",
            refusal=refusal,
            person=person,
            codes_left=recovery.count_unused(db, me.id),
            signins=browser_sessions.open_signins(db, person, now=service.clock()),
            here=browser().row_id,
            passkeys=passkeys.of(db, person),
            has_passkeys=passkey_challenges.party() is not None,
        )
    return make_response(page, refusal.status if refusal else 200)
