"""The details of an entry of the audit log, in the reader's language. The audit log itself keeps one word for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from portal.i18n.translation import day_and_time, language, say
from portal.records.registry import KINDS
from portal.services import services, town_zone
from portal.staff.sessions.search_words import veil_in_words
from sessions.log.masks import MaskedField


def detail_in_words(detail: Mapping[str, object]) -> str:
    """ "how many: 300; paper: a4": what has no words here is told as it is written."""
    words = _words()
    colon = ": " if language() == "en" else "\u00a0: "
    return "; ".join(f"{words.get(name, name)}{colon}{_value(name, value)}" for name, value in detail.items())


def _value(name: str, value: object) -> str:
    if isinstance(value, str):
        if name == "columns":
            return column_in_words(value)
        if name == "veil" and value in {veil.value for veil in MaskedField}:
            return veil_in_words(MaskedField(value))
        if name == "ends_at":
            return _on_the_clock(value)
        if name == "asked":
            return ", ".join(_on_the_clock(text) for _, text in parse_qsl(value))
        return _words().get(value, value)
    if isinstance(value, Sequence):
        return ", ".join(_value(name, one) for one in value)
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    return str(value)


def column_in_words(column: str) -> str:
    """The label of a column of whatever record has it; one that no form has is called by its name."""
    base, _, code = column.rpartition("_")
    for field in (field for pages in KINDS.values() for field in pages.fields):
        if field.column == column and not field.by_language:
            return say(field.label)
        if field.by_language and field.column == base:
            return say(field.label, language=code)
    return column


def _on_the_clock(text: str) -> str:
    """An instant of a search on the clock of the town; any other word as it is."""
    try:
        at = datetime.fromisoformat(text) if "T" in text else None
    except ValueError:
        at = None
    return (
        text if at is None or at.tzinfo is None else day_and_time(at, town_zone().key, now=services().clock())
    )


def _words() -> dict[str, str]:
    return {
        "count": say("how many"),
        "passes": say("passes"),
        "batches": say("batches"),
        "sessions": say("sessions"),
        "rows": say("rows"),
        "plan": say("kind of pass"),
        "desk": say("desk"),
        "note": say("note"),
        "event": say("event"),
        "paper": say("paper"),
        "languages": say("languages"),
        "mark": say("pass"),
        "new": say("new pass"),
        "reason": say("reason"),
        "purpose": say("purpose"),
        "by": say("by"),
        "second factor": say("second factor"),
        "recovery code": say("recovery code"),
        "passkey": say("passkey"),
        "directory": say("directory"),
        "reference": say("reference"),
        "roles": say("roles"),
        "networks": say("networks"),
        "scopes": say("scopes"),
        "created_by": say("made by"),
        "expires": say("expires"),
        "veil": say("unmasked"),
        "unmasked": say("unmasked"),
        "asked": say("search"),
        "from": say("from"),
        "to": say("to"),
        "form": say("form"),
        "term": say("term"),
        "basis": say("legal basis"),
        "before": say("before"),
        "now": say("afterwards"),
        "login": say("account"),
        "asked by": say("asked by"),
        "confirmed by": say("confirmed by"),
        "up to": say("up to no."),
        "rule": say("rule"),
        "network": say("network"),
        "site": say("site"),
        "sites": say("places"),
        "category": say("category"),
        "revision": say("version"),
        "former": say("copied from"),
        "first_round": say("first round"),
        "last_round": say("last round"),
        "ends_at": say("until"),
        "first use": say("first use"),
        "home": say("home library"),
        "columns": say("columns"),
    }
