"""What a refusal was caused by, as plain values: enough to word it again in another language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from auth.denials import REASONS, Case, DenialReason, NetworkSlugs, Plural, Text
from portal.denials.rendering import Cause

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def to_plain(cause: Cause) -> dict[str, Any]:
    """The reason by its code, and the facts that its words name. No others: some are nobody's business."""
    named = sorted(_named_in(cause.reason) & set(cause.facts))
    return {
        "reason": cause.reason.code,
        "facts": {name: _plain(cause.facts[name]) for name in named},
        "zone": cause.zone,
    }


def from_plain(values: dict[str, Any]) -> Cause | None:
    """The cause again; None where its reason is not declared any more."""
    reason = REASONS.find(values["reason"])
    if reason is None:
        return None
    return Cause(reason, {name: _fact(value) for name, value in values["facts"].items()}, values["zone"])


def _named_in(reason: DenialReason) -> set[str]:
    return {name for text in (reason.title, reason.advice) for name in _names(text)}


def _names(text: Text) -> Iterator[str]:
    match text:
        case Case(fact=fact, texts=texts, otherwise=otherwise):
            yield fact
            for each in (*texts.values(), otherwise):
                yield from _names(each)
        case Plural(count=count):
            yield count
        case str():
            yield from _PLACEHOLDER.findall(text)


def _plain(fact: object) -> object:
    match fact:
        case datetime():
            return {"at": fact.isoformat()}
        case NetworkSlugs():
            return {"networks": list(fact)}
        case _:
            return fact


def _fact(value: object) -> object:
    match value:
        case {"at": str(at)}:
            return datetime.fromisoformat(at)
        case {"networks": list(slugs)}:
            return NetworkSlugs(slugs)
        case _:
            return value
