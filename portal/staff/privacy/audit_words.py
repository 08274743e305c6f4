"""The actions of the audit log and what they were done to, in the reader's language, from their declarations."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import request, url_for

from auth.audit.actions import ACTIONS, LONGEST_OBJECT, ObjectKind, kind_of
from auth.audit.actor import SYSTEM, ActorKind, named
from auth.staff.roles import may
from portal.i18n.translation import say
from portal.staff.access import current_staff, need_of

# The page that shows one of a kind, and the name of the number or word in its address. Plans and the database
# have no page.
PAGES: dict[ObjectKind, tuple[str, str | None]] = {
    ObjectKind.PASS: ("staff.pass_page", "voucher_id"),
    ObjectKind.BATCH: ("staff.batch", "batch_id"),
    ObjectKind.BATCHES: ("staff.batches", None),
    ObjectKind.GATEWAY: ("staff.gateway", "identity"),
    ObjectKind.STAFF: ("staff.person", "staff_id"),
    ObjectKind.GROUP: ("staff.groups", None),
    ObjectKind.TOKEN: ("staff.tokens", None),
    ObjectKind.LOG: ("staff.sessions", None),
    ObjectKind.QUESTION: ("staff.sessions", None),
    ObjectKind.SESSION: ("staff.session", "access_id"),
    ObjectKind.INCIDENT: ("staff.incident", "code"),
    ObjectKind.EXPERIMENT: ("staff.experiment", "experiment_id"),
    ObjectKind.REPORT: ("staff.reports", None),
    ObjectKind.RETENTION_PERIOD: ("staff.retention", None),
    ObjectKind.PURGE: ("staff.retention", None),
    ObjectKind.HOLD: ("staff.holds", None),
    ObjectKind.HOLDS: ("staff.holds", None),
    ObjectKind.REQUISITION: ("staff.requisition", "requisition_id"),
    ObjectKind.REQUISITIONS: ("staff.requisitions", None),
    ObjectKind.CAMPAIGN: ("staff.campaign", "slug"),
    ObjectKind.ADVERTISER: ("staff.payer", "payer"),
    ObjectKind.ELECTION: ("staff.elections", None),
    ObjectKind.RECIPIENT: ("staff.alerts", None),
    ObjectKind.OVERRIDE: ("staff.crisis", None),
    ObjectKind.PLAN: ("staff.plans_record", "key"),
    ObjectKind.BLOCK: ("staff.blocks", None),
    ObjectKind.PATRONS: ("staff.patrons", None),
    ObjectKind.LIMITS: ("staff.limits", None),
    ObjectKind.AUDIT_LOG: ("staff.trail", None),
    ObjectKind.NETWORK: ("staff.networks_record", "key"),
    ObjectKind.SITE: ("staff.sites_record", "key"),
    ObjectKind.SCHOOL: ("staff.school-lines_record", "key"),
    ObjectKind.CLASS: ("staff.classes_record", "key"),
    ObjectKind.TABLET: ("staff.tablets_record", "key"),
    ObjectKind.FIXED_DEVICE: ("staff.devices_record", "key"),
    ObjectKind.PRINTER: ("staff.printers_record", "key"),
}


def actor_in_words(name: str) -> str:
    """Who it was: "command line", or "odile (command line)", in the reader's language; others by their own names."""
    if name == SYSTEM.name:
        return say("system")
    on_the_machine = ActorKind.COMMAND_LINE.value
    if named(name).kind is not ActorKind.COMMAND_LINE:
        return name
    operator = name.removesuffix(on_the_machine).removesuffix(f" ({on_the_machine})")
    return f"{operator} ({say('command line')})" if operator else say("command line")


def actor_asked(text: str) -> str:
    """Who is meant by what `actor_in_words` says."""
    if text == say("system"):
        return SYSTEM.name
    return text.replace(say("command line"), ActorKind.COMMAND_LINE.value)


def action_in_words(key: str) -> str:
    """What was done; an action that is not declared is told as it is written."""
    return say(ACTIONS[key].words) if key in ACTIONS else key


def every_action() -> list[tuple[str, str]]:
    """The actions that can be looked for, each with its words, by their words."""
    choices = [(action.key, say(action.words)) for action in ACTIONS.values()]
    return sorted(choices, key=lambda action: action[1].casefold())


def page_of(object: str) -> str | None:
    """The address of what an entry names; None where there is no page of it, or this person may not open it."""
    try:
        endpoint, argument = PAGES[kind_of(object)]
    except (ValueError, KeyError):
        return None
    need = need_of(endpoint)
    if need is None or need.action is None or not may(current_staff().authority, need.action):
        return None
    name = object.partition(":")[2]
    if argument is None:
        return _elsewhere(url_for(endpoint, **_asked(object)))
    if argument.endswith("_id") and not (name.isascii() and name.isdigit()):
        return None
    values: dict[str, Any] = {argument: name}
    return _elsewhere(url_for(endpoint, **values))


def _elsewhere(address: str) -> str | None:
    """The address, where it is not of the page that is shown."""
    return address if urlsplit(address).path != request.path else None


def _asked(object: str) -> dict[str, Any]:
    """The question that an entry is about, for the address of the log; none where it was too long for the entry."""
    kind, _, words = object.partition(":")
    is_whole = kind == ObjectKind.QUESTION and len(object) < LONGEST_OBJECT
    return dict(parse_qsl(words)) if is_whole else {}
