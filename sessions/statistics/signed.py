"""Reports that somebody has signed off: an immutable copy of the numbers, with a digest and an Ed25519 signature.

What is signed is a short statement in canonical JSON: who signed which report when, and the SHA-256 of the numbers.
Anybody can check it with the public key alone (`sessions.legal_requests.signing`). The rows are never changed and never
deleted: triggers in the database refuse it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from http import HTTPStatus

from sqlalchemy import Date, LargeBinary, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from auth.audit import log
from auth.audit.actions import REPORT_SIGNED, ObjectKind
from auth.audit.actor import Actor
from auth.audit.append_only import never_changed, run_after_create
from auth.denials import N_, Denial, declare
from auth.staff.roles import Authority
from db.base import Base, Json, Key
from db.statements import for_either, table_of
from sessions.legal_requests.signing import Signer, is_signed
from sessions.statistics import stored
from sessions.statistics.periods import Period
from sessions.statistics.report import Report

TITLE = "Arobase usage report, signed off"


class UnfinishedReport(Denial):
    """Days of this report have no figures yet: they would be another report tomorrow."""

    reason = declare(
        "unfinished_report",
        HTTPStatus.CONFLICT,
        N_("This report is not finished."),
        N_("It can be signed off once all its days are over and have their figures."),
    )


class SignedReport(Base):
    """One version of a report that was signed off; `networks` are those it is about, none for all of them."""

    __tablename__ = "signed_reports"
    __table_args__ = (UniqueConstraint("question", "numbers_digest"),)

    id: Mapped[Key]
    # SHA-256 over period and networks.
    question: Mapped[str] = mapped_column(String(64))
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    networks: Mapped[list[str]] = mapped_column(Json)
    numbers: Mapped[bytes] = mapped_column(LargeBinary)
    numbers_digest: Mapped[str] = mapped_column(String(64))
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    signed_at: Mapped[datetime]
    signed_by: Mapped[str] = mapped_column(String(120))

    @property
    def period(self) -> Period:
        return Period(self.first, self.last)


APPEND_ONLY = never_changed(SignedReport.__tablename__)
run_after_create(SignedReport, APPEND_ONLY)


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, by which name, with which key, for which portal (its address)."""

    actor: Actor
    name: str
    portal: str
    signer: Signer


def numbers_of(report: Report) -> bytes:
    """What is kept of a report that is signed: the same bytes on every later day."""
    return stored.write(replace(report, last_made=report.period.last))


def sign(
    db: Session, report: Report, *, networks: frozenset[str], signing: Signing, now: datetime
) -> SignedReport:
    """Sign a report off; where just these numbers were signed before, that version. Raises `UnfinishedReport`."""
    if not report.is_over:
        raise UnfinishedReport
    numbers, question = numbers_of(report), question_of(report.period, networks)
    digest = hashlib.sha256(numbers).hexdigest()
    statement = {
        "title": TITLE,
        "portal": signing.portal,
        "period_first": str(report.period.first),
        "period_last": str(report.period.last),
        "networks": sorted(networks),
        "numbers_sha256": digest,
        "signed_by": signing.name,
        "login": signing.actor.name,
        "signed_at": now.astimezone(UTC).isoformat(),
    }
    written = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    values = {
        "question": question,
        "first": report.period.first,
        "last": report.period.last,
        "networks": sorted(networks),
        "numbers": numbers,
        "numbers_digest": digest,
        "statement": written,
        "signature": signing.signer.sign(written),
        "signed_at": now,
        "signed_by": signing.name,
    }
    if db.scalars(_SIGN.on(db), values).first() is None:
        return _same(db, question, digest)
    version = _same(db, question, digest)
    detail: log.Detail = {"from": str(version.first), "to": str(version.last), "sha256": digest}
    only = next(iter(networks)) if len(networks) == 1 else None
    log.append(
        db,
        REPORT_SIGNED,
        ObjectKind.REPORT.named(version.id),
        actor=signing.actor,
        network=only or signing.actor.only_network,
        detail=detail,
        now=now,
    )
    return version


def is_unchanged(version: SignedReport, signer: Signer) -> bool:
    """Whether these are the numbers and the statement that this installation signed."""
    said = json.loads(version.statement)
    digest = hashlib.sha256(version.numbers).hexdigest()
    return bool(
        is_signed(version.statement, version.signature, signer.public_key())
        and digest == version.numbers_digest == said["numbers_sha256"]
        and (said["period_first"], said["period_last"]) == (str(version.first), str(version.last))
        and (said["networks"], said["signed_by"]) == (version.networks, version.signed_by)
    )


def versions(db: Session, authority: Authority) -> list[SignedReport]:
    """The versions that are this person's to see, the newest first."""
    found = db.scalars(select(SignedReport).order_by(SignedReport.id.desc()))
    return [version for version in found if is_theirs(version, authority)]


def of_report(db: Session, period: Period, networks: frozenset[str]) -> list[SignedReport]:
    """The versions of this very report, the newest first."""
    same = select(SignedReport).where(SignedReport.question == question_of(period, networks))
    return list(db.scalars(same.order_by(SignedReport.id.desc())))


def find(db: Session, number: int, authority: Authority) -> SignedReport | None:
    """The version with this number, where it is this person's to see."""
    version = db.get(SignedReport, number)
    return version if version is not None and is_theirs(version, authority) else None


def is_theirs(version: SignedReport, authority: Authority) -> bool:
    """Staff of some networks see what is about those alone."""
    return not authority.networks or (bool(version.networks) and set(version.networks) <= authority.networks)


def question_of(period: Period, networks: frozenset[str]) -> str:
    """Which report: a digest of its period and networks."""
    asked = [str(period.first), str(period.last), sorted(networks)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _same(db: Session, question: str, digest: str) -> SignedReport:
    return db.scalars(
        select(SignedReport).where(SignedReport.question == question, SignedReport.numbers_digest == digest)
    ).one()


_reports = table_of(SignedReport)
_SIGN = for_either(
    lambda insert_: (
        insert_(_reports)
        .on_conflict_do_nothing(index_elements=[_reports.c.question, _reports.c.numbers_digest])
        .returning(_reports.c.id)
    )
)
