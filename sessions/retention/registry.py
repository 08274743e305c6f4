"""The shelves of this room and of those below it, in the order that references between rows ask for."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, false, func, or_, select

from auth.audit.log import KEPT, AuditEntry, AuditHead
from auth.blocks.models import Block
from auth.devices.models import Device
from auth.models import Attempt, Entitlement
from auth.patrons.local import PatronRecord
from auth.staff.models import StaffSession
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Decision, Lease, Mismatch, Usage
from sessions.retention import holds
from sessions.retention.models import LegalHold
from sessions.retention.purge_policies import (
    Condition,
    Cutoffs,
    Dependent,
    PurgePolicy,
    RowPurge,
    SessionPurge,
    stay_held_by,
)
from sites.models import Network


def shelves(*dependents: Dependent) -> tuple[PurgePolicy, ...]:
    """All shelves up to this room; `dependents` hang on access sessions and belong to rooms above."""
    return (
        RowPurge(
            Usage,
            DataClass.TRAFFIC,
            (Usage.access_id, Usage.gateway_id, Usage.epoch),
            _counted_before,
            _counts_held,
        ),
        SessionPurge(
            (
                *dependents,
                Dependent(Usage, DataClass.TRAFFIC, Usage.access_id),
                Dependent(Lease, DataClass.CONNECTION, Lease.access_id),
            )
        ),
        RowPurge(
            Entitlement,
            DataClass.ACCOUNT,
            (Entitlement.id,),
            _account_over,
            _account_held,
            waits=select(AccessSession.id).where(AccessSession.entitlement_id == Entitlement.id).exists(),
        ),
        RowPurge(Device, DataClass.ACCOUNT, (Device.id,), _device_over, _device_held),
        RowPurge(PatronRecord, DataClass.ACCOUNT, (PatronRecord.id,), _card_over),
        RowPurge(
            Decision,
            DataClass.SECURITY,
            (Decision.id,),
            lambda cutoffs: Decision.at < cutoffs[DataClass.SECURITY],
            _decision_held,
        ),
        RowPurge(
            Mismatch,
            DataClass.SECURITY,
            (Mismatch.id,),
            lambda cutoffs: Mismatch.settled_at < cutoffs[DataClass.SECURITY],
        ),
        RowPurge(
            Attempt,
            DataClass.SECURITY,
            (Attempt.key,),
            lambda cutoffs: Attempt.last_at < cutoffs[DataClass.SECURITY],
        ),
        RowPurge(Block, DataClass.SECURITY, (Block.id,), _block_over, _block_held),
        RowPurge(
            StaffSession,
            DataClass.SECURITY,
            (StaffSession.id,),
            lambda cutoffs: StaffSession.seen_at < cutoffs[DataClass.SECURITY],
        ),
        RowPurge(AuditEntry, DataClass.TRAIL, (AuditEntry.number,), _written_before, _entry_held),
    )


def _counted_before(cutoffs: Cutoffs) -> Condition:
    """Counters with a shorter term than their session; those with the same leave with it, on the next shelf."""
    ended = select(AccessSession.id).where(AccessSession.ended_at < cutoffs[DataClass.TRAFFIC])
    if cutoffs[DataClass.TRAFFIC] <= cutoffs[DataClass.CONNECTION]:
        ended = ended.where(false())
    return Usage.access_id.in_(ended)


def _counts_held(hold: LegalHold) -> Condition:
    held = select(AccessSession.id).where(AccessSession.id == Usage.access_id, stay_held_by(hold))
    return held.exists()


def _account_over(cutoffs: Cutoffs) -> Condition:
    """An entitlement that is over, and whose sessions are all past their term."""
    ended = AccessSession.ended_at
    stays = select(AccessSession.id).where(
        AccessSession.entitlement_id == Entitlement.id,
        or_(ended.is_(None), ended >= cutoffs[DataClass.CONNECTION]),
    )
    last = func.coalesce(Entitlement.until, Entitlement.since)
    return and_(last < cutoffs[DataClass.ACCOUNT], ~stays.exists())


def _account_held(hold: LegalHold) -> Condition:
    """By its own scope, or because one of its sessions is held."""
    of_held = select(AccessSession.id).where(
        AccessSession.entitlement_id == Entitlement.id, stay_held_by(hold)
    )
    by_itself = holds.covers(
        hold,
        subject=Entitlement.subject,
        network=Entitlement.network_id,
        began=Entitlement.since,
        ended=func.coalesce(Entitlement.until, Entitlement.since),
    )
    return or_(by_itself, of_held.exists())


def _device_over(cutoffs: Cutoffs) -> Condition:
    return or_(Device.until < cutoffs[DataClass.ACCOUNT], Device.revoked_at < cutoffs[DataClass.ACCOUNT])


def _device_held(hold: LegalHold) -> Condition:
    return holds.covers(
        hold, mac=Device.mac, subject=Device.subject, began=Device.issued_at, ended=Device.until
    )


def _block_over(cutoffs: Cutoffs) -> Condition:
    return or_(Block.until < cutoffs[DataClass.SECURITY], Block.lifted_at < cutoffs[DataClass.SECURITY])


def _block_held(hold: LegalHold) -> Condition:
    return holds.covers(
        hold,
        # One column has either: no pseudonym reads like a MAC address.
        mac=Block.target,
        subject=Block.target,
        network=Block.network_id,
        began=Block.created_at,
        ended=func.coalesce(Block.lifted_at, Block.until),
    )


def _card_over(cutoffs: Cutoffs) -> Condition:
    # The day after the last day of validity, whatever the zone.
    return PatronRecord.expires_on < (cutoffs[DataClass.ACCOUNT] - timedelta(days=1)).date()


def _decision_held(hold: LegalHold) -> Condition:
    return holds.covers(
        hold,
        mac=Decision.mac,
        address=Decision.address,
        subject=Decision.subject,
        site=Decision.site_id,
        network=Decision.network_id,
        began=Decision.at,
    )


def _written_before(cutoffs: Cutoffs) -> Condition:
    """Entries up to the first one that is still within its term; those that speak of purges and of terms stay."""
    first_kept = select(func.min(AuditEntry.number)).where(AuditEntry.at >= cutoffs[DataClass.TRAIL])
    last = select(func.max(AuditHead.last))
    return and_(
        AuditEntry.number < func.coalesce(first_kept.scalar_subquery(), last.scalar_subquery() + 1),
        AuditEntry.action.not_in(KEPT),
    )


def _entry_held(hold: LegalHold) -> Condition:
    def of_network(network_id: int) -> Condition:
        slug = select(Network.slug).where(Network.id == network_id)
        return AuditEntry.network == slug.scalar_subquery()

    return holds.covers(hold, network=of_network, began=AuditEntry.at)
