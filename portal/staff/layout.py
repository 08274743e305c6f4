"""The frame around every staff page: its style, its menu, its words, its security policy."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, request, url_for
from markupsafe import Markup

from auth.staff.models import StaffState
from auth.staff.roles import Role
from db.engine import reading
from portal.http.security_headers import is_staff_page
from portal.i18n.translation import say
from portal.printing.qr import svg_of
from portal.services import services
from portal.staff import carried_forms
from portal.staff.accounts.role_words import role_explained
from portal.staff.assets import staff_asset
from portal.staff.forms import form_field
from portal.staff.login import me
from portal.staff.menu import doors, groups, is_one_row
from portal.staff.privacy.audit_detail_words import detail_in_words
from portal.staff.privacy.audit_objects import object_in_words
from portal.staff.privacy.audit_words import action_in_words, actor_in_words, page_of
from portal.staff.sessions.search_words import VOCABULARY as OF_THE_LOG
from portal.staff.vouchers.voucher_words import on_day, papers, pass_state_in_words, void_reason_in_words
from sites.queries import schools, site_names

# What a link to the same page in another language takes along.
KEPT = (
    *("actor", "deed", "object", "words", "next", "first", "others"),
    # What is asked of the log: no device and no person stands in it.
    *("site", "network", "last", "from", "to", "about", "ends", "pass", "pseudonym", "like", "same"),
    *("state", "reason", "method", "show", "after"),
    # How a campaign is previewed.
    *("message", "spoken", "place"),
)


def menu_keys() -> dict[str, str]:
    """Where each key leads after "g"; "?" by itself."""
    return {"?": url_for("staff.help")} | {door.key: door.url for door in doors() if door.key}


def role_in_words(role: str) -> str:
    return {
        Role.DESK: say("Desk"),
        Role.ADMIN: say("Administration"),
        Role.NETWORK: say("Network"),
        Role.ADS: say("Campaigns"),
        Role.REPORT: say("Reports"),
        Role.PRIVACY: say("Data protection"),
        Role.SCHOOL: say("School"),
    }[Role(role)]


def account_state_in_words(state: StaffState) -> str:
    return {
        StaffState.INVITED: say("invited, not set up yet"),
        StaffState.ACTIVE: say("active"),
        StaffState.DISABLED: say("disabled"),
    }[state]


def here_in(code: str) -> str:
    """This page in another language; a form that was posted leads back to the first page."""
    if request.method != "GET" or not (request.endpoint or "").startswith("staff."):
        return url_for("staff.home", lang=code)
    kept: dict[str, Any] = {name: request.args[name] for name in KEPT if name in request.args}
    return url_for(request.endpoint or "", **(request.view_args or {}), **kept, lang=code)


# What pages ask that concerns two people; `portal.staff.accounts.two_person` fills it.
SECOND: dict[str, Any] = {}


def dress(app: Flask, style: str) -> None:
    """Give the staff's templates their vocabulary; error pages outside the blueprint need it too."""
    sheet = Markup(style)
    app.context_processor(lambda: {"staff_style": sheet, **vocabulary()} if is_staff_page() else {})


def vocabulary() -> dict[str, Any]:
    return {
        **OF_THE_LOG,
        "who": me,
        "carried_form": carried_forms.kept,
        "menu": groups,
        "in_one_row": is_one_row,
        "menu_keys": menu_keys,
        "form_field": form_field,
        "staff_asset": staff_asset,
        "staff_issuer": lambda: services().settings.staff_issuer,
        "here_in": here_in,
        "qr": svg_of,
        "papers": papers,
        "pass_state_in_words": pass_state_in_words,
        "void_reason_in_words": void_reason_in_words,
        "on_day": on_day,
        "detail_in_words": detail_in_words,
        "object_in_words": object_in_words,
        "desk_name": desk_name,
        "action_in_words": action_in_words,
        "actor_in_words": actor_in_words,
        "page_of": page_of,
        "roles": list(Role),
        "role_in_words": role_in_words,
        "role_explained": role_explained,
        "account_state_in_words": account_state_in_words,
        "schools_to_choose": schools_to_choose,
        **SECOND,
    }


def schools_to_choose() -> list[tuple[str, str]]:
    """Slug and name of each school, by name."""
    with reading(services().make_session) as db:
        return schools(db)


def desk_name(slug: str) -> str:
    """The name of the place where a batch was issued; its slug where it is no place of ours any more."""
    if "desk_names" not in g:
        with reading(services().make_session) as db:
            g.desk_names = site_names(db)
    names: dict[str, str] = g.desk_names
    return names.get(slug, slug)
