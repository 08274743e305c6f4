"""Records as staff, programs and the command line change them: within an actor's networks, and in the audit log.

What a record is, and how it is judged, is `sites.import_export`'s; its history is written there. Here stands who may.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.orm import Session

from auth.audit import actions, log
from auth.audit.actions import ObjectKind
from auth.audit.actor import Actor
from auth.denials import N_, Denial, declare
from auth.staff.roles import Action
from gateways.sentences import Sentence
from sites.errors import ImportFault
from sites.import_export.records import Change, ImportResult, Records, Values, import_records, judge_rows
from sites.import_export.rows import Row


class ChangedRecord(Denial):
    """Somebody else has changed the record since this form of it was shown."""

    reason = declare(
        "changed_record",
        HTTPStatus.CONFLICT,
        N_("Somebody else has changed it meanwhile."),
        N_("What you typed still stands below. Compare it with the history at the foot, then save again."),
    )


# As many columns as an entry of the audit log names: the history has them all.
MOST_NAMED = 12


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record with its place in the policy: the action that opens it, and the networks that one belongs to.

    A record of no network is the whole town's.
    """

    records: Records
    action: Action
    object: ObjectKind
    networks_of: Callable[[Values], Collection[str]]

    @property
    def name(self) -> str:
        return self.records.name


def within(networks: frozenset[str], record: Collection[str]) -> bool:
    """Whether somebody who works for `networks` (none named: all) may change a record of the networks `record`."""
    return not networks or (bool(record) and set(record) <= networks)


def touches(networks: frozenset[str], record: Collection[str]) -> bool:
    """Whether they may see it: it is of one of theirs at least."""
    return not networks or not networks.isdisjoint(record)


def visible(kind: RecordKind, networks: frozenset[str]) -> Records:
    """The records of this kind that somebody who works for `networks` may see."""

    def current(db: Session) -> dict[str, Values]:
        every = kind.records.current(db)
        return {key: values for key, values in every.items() if touches(networks, kind.networks_of(values))}

    return replace(kind.records, current=current)


def preview(
    db: Session, kind: RecordKind, content: bytes | Sequence[Row], *, networks: frozenset[str]
) -> list[Change]:
    """What a file, or the rows of a form, would change. Raises `RefusedImport` with all that is wrong with it."""
    found = judge_rows(db, _bounded(kind, networks), content)
    return [change for change in found if change.before != change.after]


def take_in(
    db: Session,
    kind: RecordKind,
    content: bytes | Sequence[Row],
    *,
    actor: Actor,
    now: datetime,
    undoes: int | None = None,
) -> ImportResult:
    """Import it as `actor`, within their networks, and write an entry of the audit log for each record.

    Raises `RefusedImport` with all that is wrong with it; nothing is written then.
    """
    written: list[Change] = []

    def write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
        written.extend(changes)
        return kind.records.write(db, changes)

    records = replace(_bounded(kind, actor.networks), write=write)
    result = import_records(db, records, content, by=actor.name, now=now, undoes=undoes)
    for change in written:
        _note(db, kind, change, actor=actor, now=now, undoes=undoes)
    return result


def _note(
    db: Session, kind: RecordKind, change: Change, *, actor: Actor, now: datetime, undoes: int | None
) -> None:
    action = actions.RECORD_CHANGED if change.before is not None else actions.RECORD_MADE
    if undoes is not None:
        action = actions.RECORD_UNDONE
    networks = sorted(kind.networks_of(change.after))
    log.append(
        db,
        action,
        kind.object.named(change.key),
        actor=actor,
        now=now,
        detail={"columns": change.columns[:MOST_NAMED]},
        network=networks[0] if len(networks) == 1 else None,
    )


def _bounded(kind: RecordKind, networks: frozenset[str]) -> Records:
    """The same records, of which somebody who works for `networks` may change their own."""

    def judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
        yield from kind.records.judge(db, changes)
        for change in changes:
            sides = [values for values in (change.before, change.after) if values is not None]
            if not all(within(networks, kind.networks_of(values)) for values in sides):
                yield ImportFault(
                    change.where, kind.records.key, Sentence("belongs to networks that are not yours")
                )

    return replace(kind.records, judge=judge)
