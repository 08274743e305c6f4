"""Which fixed devices are to be online now: the register as a provider of managed devices."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from auth.fixed_devices.models import DeviceState, FixedDevice
from auth.managed import Managed
from gateways.destinations import parse_destinations
from sites import opening_hours
from sites.models import Gateway


def wanted(db: Session, now: datetime) -> Iterator[Managed]:
    """The devices that are active, within their contract and within their hours."""
    gateways: dict[tuple[int, int], set[int]] = {}
    for row in db.execute(select(Gateway.id, Gateway.site_id, Gateway.network_id)):
        gateways.setdefault((row.site_id, row.network_id), set()).add(row.id)
    for device in active(db):
        until = online_until(device, now)
        if until is None:
            continue
        yield Managed(
            device.subject,
            device.card,
            frozenset(gateways.get((device.site_id, device.network_id), ())),
            until=until,
            rate_down_kbps=device.rate_down_kbps,
            rate_up_kbps=device.rate_up_kbps,
            destinations=None if device.destinations is None else parse_destinations(device.destinations),
        )


def active(db: Session) -> list[FixedDevice]:
    """The devices that are not suspended or retired, each with its site."""
    found = select(FixedDevice).where(FixedDevice.state == DeviceState.ACTIVE).order_by(FixedDevice.id)
    return list(db.scalars(found.options(joinedload(FixedDevice.site), joinedload(FixedDevice.network))))


def find(db: Session, slug: str) -> FixedDevice | None:
    """The device of this short name, with its site and network."""
    found = select(FixedDevice).where(FixedDevice.slug == slug)
    whole = joinedload(FixedDevice.site), joinedload(FixedDevice.network)
    return db.scalars(found.options(*whole)).one_or_none()


def online_until(device: FixedDevice, now: datetime) -> datetime | None:
    """Until when an active device may be online from now on; None where it may not be now."""
    if device.ends_at <= now:
        return None
    hours = opening_hours.parse(device.hours, device.site.school_zone)
    if not opening_hours.is_open(hours, now, device.tzinfo):
        return None
    closing = opening_hours.closing(hours, now, device.tzinfo)
    return device.ends_at if closing is None else min(closing, device.ends_at)


def reserved_line(device: FixedDevice) -> str:
    """What to add to dnsmasq, so that the device always has its address; empty where it takes any."""
    if not device.address:
        return ""
    address = ipaddress.ip_address(device.address)
    written = f"[{address}]" if address.version == 6 else str(address)
    return f"dhcp-host={device.mac},{written}"
