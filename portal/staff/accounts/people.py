"""Staff accounts: who there is, inviting, changing, beginning anew, disabling. For administrators."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit import search
from auth.audit.actions import ObjectKind
from auth.audit.search import Query
from auth.staff import accounts, lookup, requests
from auth.staff.errors import BeyondAuthority, StaffError
from auth.staff.models import Staff, StaffAnswer
from auth.staff.roles import NO_NETWORK, Action, Authority, Role, may_appoint, takes_two
from auth.staff.secrets import token_digest
from auth.vouchers.scope import desks
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.accounts.networks import networks_chosen, networks_of_mine
from portal.staff.forms import FormerCodes, drawn_for, source_of, use_form
from sites.models import Site


@staff.get("/people")
@needs(Action.ACCOUNTS, confirmed=True)
def people() -> AnyResponse:
    return _list_page(None)


@staff.post("/people")
@needs(Action.ACCOUNTS, confirmed=True)
def invite() -> AnyResponse:
    service = services()
    try:
        wanted = _authority()
        if not may_appoint(current_staff().authority, wanted):
            raise BeyondAuthority
        with service.make_session.begin() as db:
            answer = use_form(db)
            login, name = request.form.get("login", ""), request.form.get("name", "")[:120]
            if takes_two(None, wanted):
                made = accounts.propose(db, login=login, name=name, authority=wanted, now=service.clock())
                return _ask(db, made.staff, wanted, answer)
            invitation = accounts.invite(
                db,
                login=login,
                name=name,
                authority=wanted,
                actor=current_staff().actor,
                now=service.clock(),
                home_site=_home(),
                by=_me(db),
                make_token=lambda: source_of(answer).token,
            )
            return _to_link(answer, invitation.staff)
    except StaffError as error:
        return _list_page(error)


@staff.get("/people/<int(max=2147483647):staff_id>")
@needs(Action.ACCOUNTS, confirmed=True)
def person(staff_id: int) -> AnyResponse:
    return _person_page(staff_id, None)


@staff.post("/people/<int(max=2147483647):staff_id>")
@needs(Action.ACCOUNTS, confirmed=True)
def appoint(staff_id: int) -> AnyResponse:
    try:
        wanted = _authority()
        with services().make_session.begin() as db:
            found = _find(db, staff_id)
            answer = use_form(db, place=url_for("staff.person", staff_id=staff_id))
            if takes_two(found.authority, wanted):
                if not may_appoint(current_staff().authority, wanted):
                    raise BeyondAuthority
                return _ask(db, found, wanted, answer)
            me = current_staff()
            now = services().clock()
            accounts.appoint(db, found, wanted, by=me.authority, actor=me.actor, now=now, home_site=_home())
    except StaffError as error:
        return _person_page(staff_id, error)
    return redirect(url_for("staff.person", staff_id=staff_id), HTTPStatus.SEE_OTHER)


@staff.post("/people/<int(max=2147483647):staff_id>/reset")
@needs(Action.ACCOUNTS, confirmed=True)
def reset(staff_id: int) -> AnyResponse:
    service = services()
    with service.make_session.begin() as db:
        found = _find(db, staff_id)
        answer = use_form(db)
        if takes_two(None, found.authority):
            return _ask(db, found, found.authority, answer)
        make = source_of(answer)
        actor, now = current_staff().actor, service.clock()
        accounts.reset(db, found, actor=actor, now=now, by=_me(db), make_token=lambda: make.token)
        return _to_link(answer, found)


@staff.get("/people/<int(max=2147483647):staff_id>/link/<int(max=2147483647):answer_id>")
@needs(Action.ACCOUNTS, confirmed=True)
def invitation_page(staff_id: int, answer_id: int) -> AnyResponse:
    """The link that a form of this sign-in made, until it is used. Raises `FormerCodes`."""
    with reading(services().make_session) as db:
        found = _find(db, staff_id)
        token = drawn_for(db, answer_id).token
        asked = requests.open_about(db, found, now=services().clock())
        is_asked = asked is not None and asked.token_digest == token_digest(token)
        if not is_asked and found.setup_digest != token_digest(token):
            raise FormerCodes
        link = setup_link(token)
        page = render_template("staff/invitation.html", person=found, link=link, takes_two=is_asked)
    return make_response(page)


@staff.post("/people/<int(max=2147483647):staff_id>/disable")
@needs(Action.ACCOUNTS, confirmed=True)
def disable(staff_id: int) -> AnyResponse:
    service = services()
    try:
        with service.make_session.begin() as db:
            found = _find(db, staff_id)
            use_form(db, place=url_for("staff.person", staff_id=staff_id))
            accounts.disable(db, found, actor=current_staff().actor, now=service.clock())
    except StaffError as error:
        return _person_page(staff_id, error)
    return redirect(url_for("staff.person", staff_id=staff_id), HTTPStatus.SEE_OTHER)


@staff.post("/people/<int(max=2147483647):staff_id>/enable")
@needs(Action.ACCOUNTS, confirmed=True)
def enable(staff_id: int) -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            found = _find(db, staff_id)
            use_form(db, place=url_for("staff.person", staff_id=staff_id))
            me = current_staff()
            accounts.enable(db, found, actor=me.actor, now=services().clock(), by=me.authority)
    except StaffError as error:
        return _person_page(staff_id, error)
    return redirect(url_for("staff.person", staff_id=staff_id), HTTPStatus.SEE_OTHER)


def setup_link(token: str) -> str:
    """The address that the owner of a new account opens, once."""
    return services().settings.own_url + url_for("staff.setup_page", token=token)


def _find(db: Session, staff_id: int) -> Staff:
    """The account, if it is one that this administrator looks after; to others there is no such page."""
    found = db.get(Staff, staff_id)
    if found is None or not may_appoint(current_staff().authority, found.authority):
        abort(HTTPStatus.NOT_FOUND)
    return found


def _me(db: Session) -> Staff:
    return db.get_one(Staff, current_staff().id)


def _ask(db: Session, found: Staff, wanted: Authority, answer: StaffAnswer) -> AnyResponse:
    """What takes two: the link is shown to whoever asks, and good once somebody has granted it."""
    make = source_of(answer)
    actor, now = current_staff().actor, services().clock()
    requests.ask(db, found, wanted, by=_me(db), actor=actor, now=now, make_token=lambda: make.token)
    return _to_link(answer, found)


def _authority() -> Authority:
    """What the form gives: only words of the policy can be given. Raises `NoReach`."""
    roles = frozenset(role for role in Role if role.value in request.form.getlist("roles"))
    return Authority(roles, networks_chosen(), sites=frozenset(request.form.getlist("sites")))


def _home() -> str:
    return request.form.get("home", "")[:64]


def _homes(db: Session) -> list[Site]:
    """The libraries that an account may be bound to."""
    return desks(db, current_staff().authority)


def _typed(before: Authority | None = None) -> Authority:
    """What to show in the form again."""
    roles = frozenset(role for role in Role if role.value in request.form.getlist("roles"))
    if before is not None and not roles:
        return before
    networks, schools = request.form.getlist("networks"), request.form.getlist("sites")
    return Authority(roles, frozenset(networks) or NO_NETWORK, frozenset(schools))


def _to_link(answer: StaffAnswer, person: Staff) -> AnyResponse:
    answer.place = url_for("staff.invitation_page", staff_id=person.id, answer_id=answer.id)
    return redirect(answer.place, HTTPStatus.SEE_OTHER)


def _list_page(error: StaffError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        page = render_template(
            "staff/people.html",
            refusal=refusal,
            people=lookup.everybody(db, visible_to=current_staff().authority),
            networks=networks_of_mine(db),
            homes=_homes(db),
            home=_home(),
            login=request.form.get("login", "")[:64],
            name=request.form.get("name", "")[:120],
            wanted=_typed(),
            reach=request.form.get("reach", ""),
        )
    return make_response(page, refusal.status if refusal else 200)


def _person_page(staff_id: int, error: StaffError | None) -> AnyResponse:
    refusal = staff_page(error) if error else None
    with reading(services().make_session) as db:
        found = _find(db, staff_id)
        page = render_template(
            "staff/person.html",
            refusal=refusal,
            person=found,
            networks=networks_of_mine(db),
            wanted=_typed(found.authority) if error else found.authority,
            reach=request.form.get("reach") or ("all" if found.all_networks else "some"),
            homes=_homes(db),
            home=_home() if error else found.home_site,
            deeds=search.read(db, Query(objects=(ObjectKind.STAFF.named(found.id),), most=20)),
        )
    return make_response(page, refusal.status if refusal else 200)
