"""A card is one device's: no tablet has that of a fixed device. Judged where either is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from auth.fixed_devices.models import FixedDevice
from gateways.sentences import Sentence
from sites.errors import ImportFault
from sites.import_export.records import Change
from sites.schools.models import Tablet


def judge_devices(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    """Fixed devices whose card is a tablet's."""
    found = select(Tablet).where(Tablet.mac.in_(_cards(changes))).options(joinedload(Tablet.tablet_class))
    tablets = {tablet.mac: tablet for tablet in db.scalars(found)}
    for change in changes:
        if tablet := tablets.get(change.after["mac"]):
            reason = Sentence(
                "tablet %(tablet)s of class %(name)s has the card %(mac)s: a card is one device's. Correct the one "
                "that is wrong",
                tablet=tablet.slug,
                name=tablet.tablet_class.slug,
                mac=tablet.mac,
            )
            yield ImportFault(change.where, "mac", reason)


def judge_tablets(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    """Tablets whose card is a fixed device's."""
    found = select(FixedDevice).where(FixedDevice.mac.in_(_cards(changes)))
    devices = {device.mac: device for device in db.scalars(found)}
    for change in changes:
        if device := devices.get(change.after["mac"]):
            reason = Sentence(
                "fixed device %(device)s has the card %(mac)s: a card is one device's. Correct the one that is wrong",
                device=device.slug,
                mac=device.mac,
            )
            yield ImportFault(change.where, "mac", reason)


def _cards(changes: Iterable[Change]) -> list[str]:
    return sorted({change.after["mac"] for change in changes})
