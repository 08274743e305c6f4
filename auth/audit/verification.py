"""Whether the audit log is whole: recomputed from its entries, never from what it says of itself.

A hash chain alone shows every change but one: the whole of it may be computed anew by anyone who can write to the
database. The signatures show that, unless the installation's secret was taken too (`auth.audit.signatures`).
That the end was cut off, or that an older state was put back, only an anchor shows that has left the machine
(`auth.audit.anchors`).
"""

from __future__ import annotations

import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.audit import chain, purge_proof, signatures
from auth.audit.anchors import Anchor
from auth.audit.chain import AuditLink
from auth.audit.log import AuditEntry, AuditHead, canonical
from auth.audit.purge_proof import Purges
from auth.audit.signatures import AuditSeal


class ChainFault(enum.StrEnum):
    """The fault of the first bad entry."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    SWAPPED = "swapped"
    # From here to the end everything is gone.
    CUT = "cut"
    # The chain is sound in itself, and is not the one that the anchor saw.
    REWRITTEN = "rewritten"
    # It bears no seal of ours.
    FORGED = "forged"
    # It was purged, and younger than the purge says, or than any purge may take.
    EARLY = "early"


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """The result. `number` is the first bad entry; `unfinished` are entries that wait for their links, at the end:
    the next deed adds them. `purged` were deleted lawfully; `forged_purge` is an entry that says so and
    is not believed."""

    entries: int
    purged: int = 0
    unfinished: int = 0
    fault: ChainFault | None = None
    number: int | None = None
    forged_purge: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.fault is None


def verify(db: Session, anchors: Sequence[Anchor] = ()) -> ChainVerdict:
    """Recompute the chain, and the seals where this session has their key. `db` must see one state of the database
    throughout (`db.engine.snapshot`)."""
    head = db.get(AuditHead, 1) or AuditHead(id=1, last=0, linked=0, hash=None, purged_to=0)
    purges = purge_proof.read(db, anchors, believed=_believed)
    found, entries, purged = _walk(db, head, purges)
    found = _earliest(found, _strays(db, head))
    found = _earliest(found, _against(db, anchors, entries))
    fault, number = found or (None, None)
    unfinished = max(0, head.last - head.linked) if found is None else 0
    return ChainVerdict(entries, purged, unfinished, fault, number, purges.forged)


Finding = tuple[ChainFault, int]


def _walk(db: Session, head: AuditHead, purges: Purges) -> tuple[Finding | None, int, int]:
    """Every link in order, with its entry where that is still there."""
    before, expected, purged = chain.NOTHING, 1, 0
    first_missing: int | None = None
    statement = (
        select(AuditLink, AuditEntry, AuditSeal)
        .outerjoin(AuditEntry, AuditEntry.number == AuditLink.number)
        .outerjoin(AuditSeal, AuditSeal.number == AuditLink.number)
        .order_by(AuditLink.number)
        .execution_options(yield_per=1000)
    )
    seals = signatures.of_session(db)
    with db.execute(statement) as rows:
        for link, entry, seal in rows:
            if link.number != expected:
                return _gap(expected, link.number, first_missing), expected - 1, purged
            computed = chain.entry_hash(before, link.number, link.content_digest)
            if not _fits(link, entry) or computed != link.entry_hash:
                return _earliest(_judge(db, link, entry), _missing(first_missing)), link.number, purged
            if seals is not None and not seals.fits(link, seal):
                return (
                    _earliest((ChainFault.FORGED, link.number), _missing(first_missing)),
                    link.number,
                    purged,
                )
            if entry is None and purges.took(link.number, seal):
                if purges.is_early(link.number, seal):
                    return (ChainFault.EARLY, link.number), link.number, purged
                purged += 1
            elif entry is None:
                first_missing = first_missing or link.number
            elif first_missing:
                return (ChainFault.DELETED, first_missing), link.number, purged
            before, expected = link.entry_hash, expected + 1
    last = expected - 1
    if first_missing:
        # Nothing stands after it.
        return (ChainFault.CUT, first_missing), last, purged
    if last < head.linked:
        return (ChainFault.CUT, last + 1), last, purged
    if last and before != (head.hash or before):
        return (ChainFault.REWRITTEN, last), last, purged
    return None, last, purged


def _fits(link: AuditLink, entry: AuditEntry | None) -> bool:
    """Whether an entry says what its canonical bytes say, and these are what its link covers."""
    if entry is None:
        return True
    digest = chain.content_digest(entry.salt or b"", entry.canonical)
    return digest == link.content_digest and canonical(entry) == entry.canonical


def _judge(db: Session, link: AuditLink, entry: AuditEntry | None) -> Finding:
    """The fault of the entry at which the chain breaks."""
    number = link.number
    if entry is None:
        return ChainFault.EDITED, number
    says = _number_in(entry)
    if says is not None and says != number:
        other = db.get(AuditEntry, says)
        if other is not None and _number_in(other) == number:
            return ChainFault.SWAPPED, min(number, says)
        return (ChainFault.DELETED, number) if says > number else (ChainFault.INSERTED, says)
    following = db.get(AuditEntry, number + 1)
    if following is not None and _number_in(following) == number:
        return ChainFault.INSERTED, number
    digest = chain.content_digest(entry.salt or b"", entry.canonical)
    elsewhere = select(AuditLink.number).where(AuditLink.content_digest == digest, AuditLink.number != number)
    if digest != link.content_digest and db.scalars(elsewhere).first() is not None:
        return ChainFault.SWAPPED, number
    return ChainFault.EDITED, number


def _strays(db: Session, head: AuditHead) -> Finding | None:
    """Entries without a link: those that wait for one stand at the end, one after the other; no others do."""
    linked = select(AuditLink.number).where(AuditLink.number == AuditEntry.number).exists()
    expected = head.linked + 1
    for number in db.scalars(select(AuditEntry.number).where(~linked).order_by(AuditEntry.number)):
        if number < expected or number > head.last:
            return ChainFault.INSERTED, number
        if number > expected:
            return ChainFault.DELETED, expected
        expected += 1
    beyond = db.scalar(select(func.min(AuditLink.number)).where(AuditLink.number > head.linked))
    if beyond is not None:
        return ChainFault.INSERTED, beyond
    return (ChainFault.CUT, expected) if expected <= head.last else None


def _against(db: Session, anchors: Sequence[Anchor], last: int) -> Finding | None:
    """What anchors show: each says which hash one number had."""
    sound = 0
    for anchor in sorted(anchors, key=lambda anchor: anchor.number):
        link = db.get(AuditLink, anchor.number)
        if link is None:
            return ChainFault.CUT, last + 1
        if link.entry_hash != anchor.hash:
            return ChainFault.REWRITTEN, sound + 1
        sound = anchor.number
    return None


def _believed(db: Session, link: AuditLink, entry: AuditEntry) -> bool:
    """Whether an entry that speaks of a purge is one of ours."""
    seals = signatures.of_session(db)
    return _fits(link, entry) and (seals is None or seals.fits(link, db.get(AuditSeal, link.number)))


def _gap(expected: int, found: int, first_missing: int | None) -> Finding:
    if found < expected:
        return ChainFault.INSERTED, found
    return ChainFault.DELETED, first_missing or expected


def _missing(first_missing: int | None) -> Finding | None:
    return (ChainFault.DELETED, first_missing) if first_missing else None


def _earliest(one: Finding | None, other: Finding | None) -> Finding | None:
    if one is None or other is None:
        return one or other
    return one if one[1] <= other[1] else other


def _number_in(entry: AuditEntry) -> int | None:
    """The number that the canonical bytes say."""
    try:
        facts: Any = json.loads(entry.canonical)
        number = facts["number"]
    except (ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None
