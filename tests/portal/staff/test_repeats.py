"""Every form of staff, sent twice: a double press, a second Enter, a page loaded again.

The forms come from the application's routes: a new one that is not declared here fails.
"""

from __future__ import annotations

import base64
import enum
import re
import zlib
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ads.models import Campaign, CivicOverride
from auth.audit.log import AuditEntry
from auth.blocks.models import Block
from auth.staff.roles import Role
from portal.services import Services
from portal.staff.access import need_of
from sessions.legal_requests.models import Requisition
from sessions.retention.models import LegalHold, PurgeRun
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk
from tests.portal.staff.test_matrix import TABLE
from tests.portal.staff.world import (
    ASKED,
    BLOCK,
    NEW_SCHOOL,
    SCHOOL,
    World,
    with_coming_experiment,
    with_new_campaign,
    with_new_recipient,
)


class Twice(enum.Enum):
    """What the second time does."""

    # Leads where the first one led; nothing is done or written down again.
    LEADS = "leads"
    # The same answer again; a look, and nothing is changed by it.
    ANSWERS = "answers"
    # The file again, and the audit log says that it was given twice.
    GIVES = "gives"
    # Refused: what it holds is good once, for safety's sake, and the refusal says how to go on.
    REFUSES = "refuses"


STAFF = {
    **dict.fromkeys(("issue", "replace", "invite", "reset", "make_token", "new_recovery_codes"), Twice.LEADS),
    **dict.fromkeys(("void", "revoke", "undo", "suspend", "resume"), Twice.LEADS),
    **dict.fromkeys(("void_batch", "revoke_batch", "undo_batch", "revoke_token"), Twice.LEADS),
    **dict.fromkeys(("place_hold", "confirm_hold", "lift_hold", "change_term", "confirm_purge"), Twice.LEADS),
    **dict.fromkeys(("add_requisition", "close_requisition", "end_session", "revoke_device"), Twice.LEADS),
    **dict.fromkeys(
        ("confirm_term", "withdraw_term", "keep_hold", "grant_request", "refuse_request"), Twice.LEADS
    ),
    **dict.fromkeys(("appoint", "disable", "enable", "hear_codes_again", "drop_carried"), Twice.LEADS),
    **dict.fromkeys(("remove_passkey", "grant_group", "revoke_group"), Twice.LEADS),
    **dict.fromkeys(("propose_campaign", "approve_campaign", "pause_campaign"), Twice.LEADS),
    **dict.fromkeys(("start_crisis", "stop_crisis", "add_payer", "change_payer"), Twice.LEADS),
    **dict.fromkeys(("place_block", "lift_block", "give_back_tries", "import_cards"), Twice.LEADS),
    **dict.fromkeys(("gateways_add", "rotate_gateway"), Twice.LEADS),
    **dict.fromkeys(("find_block", "ask_block", "find_card", "look_at_patrons"), Twice.ANSWERS),
    **dict.fromkeys(("add_election", "add_recipient", "remove_recipient"), Twice.LEADS),
    **dict.fromkeys(("try_recipient", "try_webhook"), Twice.ANSWERS),
    "sign_report": Twice.LEADS,
    **dict.fromkeys(("write_experiment", "change_experiment", "amend_threshold", "note_review"), Twice.LEADS),
    **dict.fromkeys(("draft_campaign", "change_campaign"), Twice.LEADS),
    **dict.fromkeys(("check_new_campaign", "check_campaign"), Twice.ANSWERS),
    **dict.fromkeys(("resume_campaign", "stop_campaign", "duplicate_campaign"), Twice.LEADS),
    **dict.fromkeys(("set_message_picture", "remove_message_picture"), Twice.LEADS),
    **dict.fromkeys(
        ("find", "find_session", "preview_slips", "print_sheet", "confirm_password", "search"), Twice.ANSWERS
    ),
    **dict.fromkeys(("search_typed", "batches_typed"), Twice.ANSWERS),
    **dict.fromkeys(("unmask_devices", "unmask_persons", "gateway_secrets"), Twice.ANSWERS),
    **dict.fromkeys(("reprint", "void_ticked", "revoke_ticked", "end_ticked"), Twice.LEADS),
    "mail_pass": Twice.LEADS,
    **dict.fromkeys(("print_receipts", "printers_try"), Twice.LEADS),
    "codes_csv": Twice.GIVES,
    **dict.fromkeys(("print_slips", "export_log", "make_requisition_package"), Twice.GIVES),
    # A code of the second step and a setup link are good once; a sign-in that was ended sends no more forms.
    **dict.fromkeys(("signin", "signin_code", "signin_passkey", "add_passkey", "setup"), Twice.REFUSES),
    # A logout token is good once.
    "openid_logout": Twice.REFUSES,
    **dict.fromkeys(("signout", "signout_everywhere", "change_password"), Twice.REFUSES),
}


def packed(text: str) -> str:
    """A file as the preview of an import hands it on."""
    return base64.b64encode(zlib.compress(text.encode())).decode()


KINDS = (
    "networks",
    "sites",
    "gateways",
    "plans",
    "devices",
    "printers",
    "school-lines",
    "classes",
    "tablets",
)
STAFF |= {f"{kind}_look": Twice.ANSWERS for kind in KINDS}
STAFF |= {f"{kind}_{name}": Twice.LEADS for kind in KINDS for name in ("change", "undo", "take_in")}
STAFF |= dict.fromkeys(
    (
        "networks_add",
        "sites_add",
        "plans_add",
        "printers_add",
        "school-lines_add",
        "classes_add",
        "tablets_add",
    ),
    Twice.LEADS,
)
STAFF |= {
    f"{owner}_{name}": Twice.LEADS for owner in ("sites", "networks") for name in ("picture", "no_picture")
}
STAFF |= dict.fromkeys(("plan_sentence", "site_place", "network_preview"), Twice.ANSWERS)
STAFF |= dict.fromkeys(("devices_add", "devices_link", "devices_unlink"), Twice.LEADS)
STAFF |= dict.fromkeys(("switch_class_on", "switch_class_off"), Twice.LEADS)
CAMPAIGN = {
    "payer": "Boulangerie Ada",
    "identity": "Ada SARL, SIREN 123",
    "name": "Pain",
    "category": "commerce",
    "networks": "bibliotheques",
    "revision": "1",
    "message": "new.1",
    "title-new.1-fr": "Du pain",
    "text-new.1-fr": "Tous les jours.",
}
EXPERIMENT = {
    "name": "Wifi pour tous",
    "aim": "Savoir à qui il sert.",
    "first": "2027-01-01",
    "last": "2029-12-31",
    "network": "bibliotheques",
    "at-availability": "99,5",
}
# What each form says, beside its own token.
FIELDS = {
    "staff.issue": {"plan": "day", "desk": "pierre-bayle", "count": "2"},
    "staff.invite": {
        "login": "new.person",
        "name": "New",
        "roles": "desk",
        "reach": "some",
        "networks": "bibliotheques",
    },
    "staff.make_token": {
        "name": "twice",
        "scopes": "passes:read",
        "days": "30",
        "reach": "some",
        "networks": "bibliotheques",
    },
    "staff.place_hold": {
        "reference": "12",
        "reason": "x",
        "expires_at": "31/03/2027",
        "mac": "02:00:00:00:0a:01",
    },
    "staff.change_term": {"amount": "2", "unit": "years", "basis": "a law"},
    "staff.add_requisition": ASKED,
    "staff.draft_campaign": CAMPAIGN,
    "staff.start_crisis": {"title-fr": "Crue", "text-fr": "Partez.", "where": "everywhere", "hours": "6"},
    "staff.add_payer": {"name": "Boulangerie Ada", "identity": "Ada SARL, SIREN 123"},
    "staff.change_payer": {"name": "Boulangerie Bo", "identity": "Bo SARL, SIREN 321"},
    "staff.add_election": {"name": "municipales", "first_round": "2027-03-14", "last_round": "2027-03-21"},
    "staff.change_campaign": CAMPAIGN,
    "staff.place_block": BLOCK,
    "staff.give_back_tries": {"who": "02:00:00:00:ee:01", "reason": "talked to them"},
    "staff.gateways_add": {
        "identity": "gw-twice",
        "kind": "nftables",
        "site": "pierre-bayle",
        "network": "bibliotheques",
        "client_prefixes": "10.91.0.0/24",
    },
    "staff.lift_block": {"reason": "talked to them"},
    "staff.add_recipient": {"address": "reseau@example.org"},
    "staff.void": {"reason": "lost"},
    "staff.write_experiment": EXPERIMENT,
    "staff.change_experiment": EXPERIMENT,
    "staff.amend_threshold": {"measure": "availability", "threshold": "98", "reason": "Works."},
    "staff.note_review": {"held_on": "2026-11-24", "note": "Good."},
    "staff.appoint": {"roles": "desk", "reach": "some", "networks": "bibliotheques"},
}
FIELDS |= {
    "staff.networks_add": {
        "slug": "new",
        "name": "New",
        "ssid": "NEW",
        "kind": "public",
        "signin_methods": "pass",
        "lease_seconds": "1800",
        "terms_version": "1",
        "terms_fr": "Soyez gentils.",
    },
    "staff.sites_add": {
        "slug": "new",
        "name": "New",
        "address": "1 place",
        "latitude": "47.2",
        "longitude": "6.0",
        "networks": "bibliotheques",
        "kind": "library",
    },
    "staff.devices_add": {
        "slug": "new",
        "name": "Till",
        "kind": "shop",
        "state": "active",
        "owner": "Ada SARL",
        "purpose": "The till",
        "contact": "03 81 00 00 00",
        "site": "pierre-bayle",
        "network": "bibliotheques",
        "mac": "02:00:00:00:0c:99",
        "destinations": "everywhere",
        "hours": "24/7",
        "contract_end": "2027-08-31",
    },
    "staff.devices_change": {"name": "Other", "revision": ""},
    "staff.devices_take_in": {"content": packed("slug,name\ndevice-of-bibliotheques,Other\n")},
    "staff.networks_change": {"name": "Other", "signin_methods": "patron", "revision": ""},
    "staff.sites_change": {"name": "Other", "networks": "bibliotheques", "revision": ""},
    "staff.gateways_change": {"redirector_url": "http://10.9.0.1:8081/", "revision": ""},
    "staff.plans_add": {"slug": "new", "name_fr": "Neuf", "kind": "until_midnight", "devices": "1"},
    "staff.plans_change": {"name_fr": "Autre", "networks": "bibliotheques", "revision": ""},
    "staff.plans_take_in": {"content": packed("slug,name_fr\nof-bibliotheques,Autre\n")},
    "staff.printers_add": {"slug": "new", "name": "New", "site": "pierre-bayle", "host": "192.0.2.9"},
    "staff.printers_change": {"name": "Other", "answers": "true", "revision": ""},
    "staff.printers_take_in": {"content": packed("slug,name\nprinter-bibliotheques,Other\n")},
    "staff.school-lines_add": {
        "site": NEW_SCHOOL,
        "stage": "primary",
        "medium": "adsl",
        "wifi": "classes",
    },
    "staff.school-lines_change": {"line_down_kbps": "2000", "revision": ""},
    "staff.school-lines_take_in": {"content": packed(f"site,line_down_kbps\n{SCHOOL},3000\n")},
    "staff.classes_add": {"slug": "new", "name": "New", "network": "bibliotheques", "stops": SCHOOL},
    "staff.classes_change": {"name": "Other", "revision": ""},
    "staff.classes_take_in": {"content": packed("slug,name\nclass-bibliotheques,Other\n")},
    "staff.tablets_add": {"slug": "new", "class": "class-bibliotheques", "mac": "02:00:00:00:7a:99"},
    "staff.tablets_change": {"model": "Other", "revision": ""},
    "staff.tablets_take_in": {"content": packed("slug,model\ntablet-bibliotheques,Other\n")},
    "staff.switch_class_on": {"site": SCHOOL, "minutes": "60"},
    "staff.networks_take_in": {"content": packed("slug,name\nbibliotheques,Other\n")},
    "staff.sites_take_in": {"content": packed("slug,name\npierre-bayle,Other\n")},
    "staff.gateways_take_in": {
        "content": packed("identity,redirector_url\ngw-bayle,http://10.9.0.1:8081/\n")
    },
}
# Here nobody has asked for what these settle, and no directory answers: refused, however often.
NOTHING_TO_DO = {
    *("staff.confirm_term", "staff.withdraw_term", "staff.keep_hold", "staff.sign_report"),
    *("staff.grant_group", "staff.revoke_group"),
}
LATE = ("staff.appoint", "staff.change_term", "staff.invite", "staff.make_token", "staff.place_hold")
# Sent with a file in tests/portal/staff/test_creative_upload.py.
# And from the page of new codes, to a mail server and to a printer, in test_reprints.py and test_receipts.py beside.
WITH_FILE = {
    "import_cards",
    "set_message_picture",
    "mail_pass",
    "print_receipts",
    "sites_picture",
    "networks_picture",
}
LEADING = sorted(
    f"staff.{name}" for name, kind in STAFF.items() if kind is Twice.LEADS and name not in WITH_FILE
)


def posted(app: Flask) -> set[str]:
    """The forms of the application that staff send; those of guests are tried in `tests.portal.test_guest_repeats`."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("staff.")]
    return {rule.endpoint.partition(".")[2] for rule in rules if "POST" in (rule.methods or set())}


def test_every_form_says_what_its_repetition_does(app: Flask) -> None:
    assert posted(app) == set(STAFF)


@pytest.mark.parametrize("endpoint", LEADING)
def test_a_form_sent_twice_leads_to_the_same_place(
    app: Flask, desk: Desk, world: World, services: Services, db: Session, endpoint: str
) -> None:
    things = with_new_recipient(services, with_new_campaign(services, world.mine, endpoint))
    if endpoint == "staff.change_experiment":
        things = with_coming_experiment(services, things)
    clerk = desk.at_work("walker", min(TABLE[endpoint][1]))
    (rule,) = [
        one for one in app.url_map.iter_rules() if one.endpoint == endpoint and "POST" in (one.methods or ())
    ]
    _, path = rule.build(things.fill(rule)) or ("", "")
    clerk.get("/staff/account")
    form: dict[str, Any] = {**clerk.form("/staff/account/signout"), **FIELDS.get(endpoint, {})}
    if endpoint.endswith("_change"):
        # As the page of the record has it.
        form["revision"] = str(things.undo_ids[endpoint.removeprefix("staff.").removesuffix("_change")])
    if endpoint == "staff.remove_message_picture":
        form["message"] = f"{things.slug}-1"
    first, after_first = clerk.post(path, **form), written(db)
    second, after_second = clerk.post(path, **form), written(db)
    if endpoint in NOTHING_TO_DO:
        assert first.status_code == second.status_code == 409
        return
    assert place(second) == place(first)
    assert after_second == after_first, endpoint


def written(db: Session) -> list[int]:
    """How many deeds and things there are."""
    db.rollback()
    kinds = (
        AuditEntry.number,
        LegalHold.id,
        PurgeRun.id,
        Requisition.id,
        Campaign.id,
        CivicOverride.id,
        Block.id,
    )
    return [db.scalar(select(func.count(kind))) or 0 for kind in kinds]


def place(answer: TestResponse) -> str:
    assert answer.status_code == 303, answer.text
    return re.sub(r"[?&]again=1$", "", answer.location)


@pytest.mark.parametrize(
    ("page", "action", "secret"),
    [
        ("/staff/people", "/staff/people", r'<code class="link">([^<]+)'),
        ("/staff/tokens", "/staff/tokens", r'<code class="link">([^<]+)'),
        ("/staff/account", "/staff/account/recovery", r"<li><code>([^<]+)"),
    ],
)
def test_what_is_shown_once_is_shown_again_to_the_second_press(
    admin: Clerk, services: Services, page: str, action: str, secret: str
) -> None:
    """A link, a token and recovery codes: the pressing finger sees the answer to the second press alone."""
    fields = FIELDS["staff.invite"] | FIELDS["staff.make_token"]
    admin.get(page)
    form: dict[str, Any] = {**admin.form(action), **fields}
    admin.post(action, **form)
    shown = re.findall(secret, admin.follow().text)
    admin.post(action, **form)
    address = admin.page.location
    assert shown and re.findall(secret, admin.follow().text) == shown
    admin.get("/staff/account")
    admin.press("/staff/signout")
    admin.sign_in()
    assert admin.get(address).status_code == 410


def test_another_wish_on_the_same_page_is_another_one(clerk: Clerk, db: Session) -> None:
    """Back to a page that the browser kept, another number typed: that is no repetition."""
    clerk.get("/staff/desk")
    form: dict[str, Any] = clerk.form("/staff/desk")
    first = clerk.post("/staff/desk", **form, plan="day", count="1").location
    assert clerk.post("/staff/desk", **form, plan="day", count="3").location != first


def test_nobody_else_is_shown_the_codes(clerk: Clerk, desk: Desk) -> None:
    clerk.get("/staff/desk")
    clerk.press("/staff/desk", plan="day", count="1")
    address = clerk.page.location
    other = desk.at_work("eve", Role.DESK, Role.ADMIN)
    assert other.get(address).status_code == 410
    same_person = Clerk(clerk.app, clerk.clock, clerk.login, clerk.staff_id)
    same_person.sign_in()
    assert same_person.get(address).status_code == 410


def asking(app: Flask) -> set[str]:
    """The forms in which somebody types something and that may ask for the password."""
    with app.app_context():
        return {one for one in FIELDS if (need := need_of(one)) is not None and need.confirmed}


def test_every_form_with_text_that_asks_for_the_password_is_tried(app: Flask) -> None:
    assert asking(app) == set(LATE)


@pytest.mark.parametrize("endpoint", LATE)
def test_a_late_password_costs_nothing_that_was_typed(
    app: Flask, desk: Desk, world: World, endpoint: str
) -> None:
    clerk = desk.at_work("walker", min(TABLE[endpoint][1]))
    (rule,) = [
        one for one in app.url_map.iter_rules() if one.endpoint == endpoint and "POST" in (one.methods or ())
    ]
    _, path = rule.build(world.mine.fill(rule)) or ("", "")
    clerk.get("/staff/account")
    form: dict[str, Any] = {**clerk.form("/staff/account/signout"), **FIELDS[endpoint]}
    clerk.clock.advance(minutes=11)
    clerk.post(path, **form)
    carried = clerk.form(path)
    assert {name: carried[name] for name in FIELDS[endpoint]} == FIELDS[endpoint]
    assert clerk.press(path, password_of_now=PASSWORD).status_code == 303
