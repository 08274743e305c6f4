"""What entries of the audit log were done to, in the reader's language, and found by those words."""

from __future__ import annotations

from auth.audit.actions import ObjectKind
from portal.i18n.translation import say


def object_in_words(object: str) -> str:
    """ "batch:12" as "batch 12"; what is of no kind known here as it is written."""
    kind, colon, name = object.partition(":")
    word = _kinds().get(kind)
    if word is None:
        return object
    return f"{word} {name}" if colon else word


def objects_asked(text: str) -> tuple[str, ...]:
    """What somebody may mean who types this: an object as it is written, in words ("batch 12"), or its bare name."""
    if not text:
        return ()
    folded = text.casefold()
    found = [text]
    if text not in set(ObjectKind):
        found += [kind.named(text) for kind in ObjectKind]
    for kind, word in _kinds().items():
        if folded == word.casefold():
            found.append(kind)
        elif folded.startswith(f"{word.casefold()} "):
            found.append(ObjectKind(kind).named(text[len(word) + 1 :].strip()))
    return tuple(dict.fromkeys(found))


def _kinds() -> dict[str, str]:
    return {
        ObjectKind.PASS: say("pass"),
        ObjectKind.BATCH: say("batch"),
        ObjectKind.BATCHES: say("batches"),
        ObjectKind.PLAN: say("kind of pass"),
        ObjectKind.GATEWAY: say("gateway"),
        ObjectKind.STAFF: say("account"),
        ObjectKind.TOKEN: say("key of a program"),
        ObjectKind.GROUP: say("group"),
        ObjectKind.LOG: say("session log"),
        ObjectKind.SESSION: say("session"),
        ObjectKind.QUESTION: say("search"),
        ObjectKind.INCIDENT: say("incident"),
        ObjectKind.REPORT: say("report"),
        ObjectKind.EXPERIMENT: say("experiment"),
        ObjectKind.RETENTION_PERIOD: say("term of keeping"),
        ObjectKind.PURGE: say("purge"),
        ObjectKind.HOLD: say("hold"),
        ObjectKind.HOLDS: say("list of holds"),
        ObjectKind.REQUISITION: say("requisition"),
        ObjectKind.REQUISITIONS: say("requisitions"),
        ObjectKind.AUDIT_LOG: say("audit log"),
        ObjectKind.DATABASE: say("database"),
        ObjectKind.NETWORK: say("network"),
        ObjectKind.FIXED_DEVICE: say("fixed device"),
        ObjectKind.SITE: say("place"),
        ObjectKind.ADVERTISER: say("advertiser"),
        ObjectKind.CAMPAIGN: say("campaign"),
        ObjectKind.ELECTION: say("election"),
        ObjectKind.OVERRIDE: say("town message"),
        ObjectKind.DEVICE: say("device"),
        ObjectKind.SCHOOL: say("school"),
        ObjectKind.CLASS: say("class"),
        ObjectKind.TABLET: say("tablet"),
        ObjectKind.AUTHORITY: say("authority"),
        ObjectKind.BLOCK: say("block"),
        ObjectKind.RECIPIENT: say("recipient"),
        ObjectKind.LIMITS: say("limits"),
        ObjectKind.PATRONS: say("cards"),
        ObjectKind.PRINTER: say("printer"),
    }
