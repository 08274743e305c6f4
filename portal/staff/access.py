"""Who may see which staff page: every view declares it; one without is closed to all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TypeVar

from flask import abort, current_app, redirect, request, url_for
from flask import session as browser_session
from werkzeug.wrappers import Response as AnyResponse

from auth.denials import N_, Case, Denial, declare
from auth.staff.roles import Action, Role, may
from portal.services import services
from portal.staff import carried_forms, staff
from portal.staff.forms import EarlierForm, ForeignForm, check_form
from portal.staff.login import CONFIRMED_AT, SignedIn, browser, me
from portal.staff.signin_form import signin_form

# For how long a confirmed password opens the views that ask for one.
CONFIRMED_FOR = timedelta(minutes=10)
View = TypeVar("View", bound=Callable[..., object])


@dataclass(eq=False)
class NotAllowed(Denial):
    """This person's roles do not include it."""

    reason = declare(
        "not_allowed",
        HTTPStatus.FORBIDDEN,
        N_("Your account does not include this."),
        Case(
            "is_admin",
            {
                True: N_(
                    "It belongs to other people on purpose: who gives out the roles does not look into the log."
                )
            },
            otherwise=N_("An administrator can give you the role for it."),
        ),
    )
    is_admin: bool


class TownWideOnly(Denial):
    """It touches every network, and this person works for some."""

    reason = declare(
        "town_wide_only",
        HTTPStatus.FORBIDDEN,
        N_("This is for the whole town."),
        N_("It touches networks that are not yours. Ask a colleague who works for all of them."),
    )


@dataclass(frozen=True, slots=True)
class Need:
    """What a view asks for: an action of the policy, or nothing at all.

    `confirmed`: shown who they are of late. `town_wide`: somebody who works for all networks. `largest_form`: how many
    octets it may send, where that is more than others may.
    """

    action: Action | None
    confirmed: bool = False
    town_wide: bool = False
    largest_form: int | None = None
    # What is posted by a program, with a proof of its own instead of a form's token.
    by_program: bool = False


_NEEDS: dict[Callable[..., object], Need] = {}


def needs(
    action: Action, *, confirmed: bool = False, town_wide: bool = False, largest_form: int | None = None
) -> Callable[[View], View]:
    """Declare what a view does, in the words of `auth.staff.roles`."""

    def declare(view: View) -> View:
        _NEEDS[view] = Need(action, confirmed, town_wide, largest_form)
        return view

    return declare


def anyone(view: View) -> View:
    """Declare that a view is for people who are not signed in as well."""
    _NEEDS[view] = Need(None)
    return view


def by_program(view: View) -> View:
    """Declare that a view is for a program that proves who it is by what it sends."""
    _NEEDS[view] = Need(None, by_program=True)
    return view


def need_of(endpoint: str) -> Need | None:
    """What the view behind `endpoint` declared; None where it declared nothing."""
    return _NEEDS.get(current_app.view_functions[endpoint])


@staff.before_request
def admit() -> AnyResponse | None:
    """Let this request in, send it to sign in, or refuse it."""
    if (unread := browser().unread) is not None:
        raise unread
    need = need_of(request.endpoint or "")
    if need is not None and need.largest_form and _is_allowed(need):
        # Before the form is read: what strangers send stays as small as everywhere.
        request.max_content_length = request.max_form_memory_size = need.largest_form
    if any("\0" in text for _, texts in request.values.lists() for text in texts):
        # No database of ours keeps one, and no browser sends one.
        abort(HTTPStatus.BAD_REQUEST)
    if need is None:
        abort(HTTPStatus.FORBIDDEN)
    if need.action is not None:
        person = me()
        if person is None:
            return ask_to_sign_in()
        if not may(person.authority, need.action):
            raise NotAllowed(is_admin=Role.ADMIN in person.authority.roles)
        if need.town_wide and person.authority.networks:
            raise TownWideOnly
    if request.method != "POST" or need.by_program:
        return None
    try:
        check_form()
    except EarlierForm as error:
        if request.endpoint == "staff.signin_code" and me() is not None:
            # The code was sent twice, and the first one signed this browser in.
            return redirect(url_for("staff.signin_page"), HTTPStatus.SEE_OTHER)
        if need.action is None or not carried_forms.holds_something():
            raise
        return redirect(carried_forms.hand_over(error.typed_by, to=current_staff().id), HTTPStatus.SEE_OTHER)
    return None


def _is_allowed(need: Need) -> bool:
    person = me()
    return person is not None and need.action is not None and may(person.authority, need.action)


def current_staff() -> SignedIn:
    """The person that `needs` has let in."""
    person = me()
    if person is None:
        abort(HTTPStatus.FORBIDDEN)
    return person


def ensure(action: Action, network: str) -> None:
    """Hide an object of a network that is not this person's: to them there is no such thing (404)."""
    if not may(current_staff().authority, action, network):
        abort(HTTPStatus.NOT_FOUND)


def older_than() -> int | None:
    """The number before which a list goes on, from the link to its older part; None where there is no such number."""
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def is_confirmed() -> bool:
    since = services().clock().timestamp() - float(browser_session.get(CONFIRMED_AT, 0.0))
    return 0 <= since < CONFIRMED_FOR.total_seconds()


def ask_to_sign_in() -> AnyResponse:
    """The sign-in page; it leads on to the page that was asked for, or to the form that was sent."""
    typed_by = None if request.method == "GET" else _typed_by()
    if typed_by is None:
        onward = asked_for() if request.method == "GET" else None
        return redirect(url_for("staff.signin_page", next=onward), HTTPStatus.SEE_OTHER)
    return signin_form(onward=url_for("staff.home"), carried=carried_forms.sign(typed_by))


def _typed_by() -> int | None:
    """Whose sign-in, now over, the form of this request was shown to; None where it was shown to none of ours."""
    try:
        check_form()
    except EarlierForm as error:
        return error.typed_by
    except ForeignForm:
        pass
    return None


def asked_for() -> str:
    """The address of this request on our own host."""
    return request.full_path if request.query_string else request.path
