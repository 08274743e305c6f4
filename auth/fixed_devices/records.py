"""The register as records: read from files and forms, judged, written."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from auth.fixed_devices import cards
from auth.fixed_devices.models import DeviceKind, DeviceState, FixedDevice
from auth.managed import may_serve
from gateways.destinations import parse_destinations, still_reaches
from gateways.sentences import Sentence
from gateways.types import parse_mac
from sites.errors import ImportFault
from sites.import_export import cells
from sites.import_export.records import Change, Column, Records, Values
from sites.models import Gateway, Network, SigninMethod, Site

EVERYWHERE = "everywhere"
HIGHEST_KBPS = 10_000_000


def _mac(text: str) -> str:
    return parse_mac(text.strip())


def _address(text: str) -> str:
    if not text.strip():
        return ""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise ValueError(Sentence("'%(text)s' is no address such as 10.66.0.200", text=text[:40])) from error


def _destinations(text: str) -> str:
    """Read ``everywhere``, or destinations with semicolons or line breaks between them."""
    if text.strip().lower() == EVERYWHERE:
        return EVERYWHERE
    parts = [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()]
    if not parts:
        raise ValueError(
            Sentence(
                "is empty: write everywhere, or where it may go, such as 203.0.113.10 tcp/443; 2001:db8::/32"
            )
        )
    return "; ".join(str(each) for each in parse_destinations(parts))


def _day(text: str) -> str:
    day = cells.day(text)
    return "" if day is None else day.isoformat()


def _last_day(text: str) -> str:
    if not text.strip():
        raise ValueError(Sentence("is empty: every device has a last day"))
    return _day(text)


_rate = cells.whole_or_none(1, HIGHEST_KBPS)
COLUMNS = {
    "slug": Column(cells.slug),
    "name": Column(cells.line_of_text(120, needed=True)),
    "kind": Column(cells.word(DeviceKind)),
    "state": Column(cells.word(DeviceState), DeviceState.ACTIVE),
    "owner": Column(cells.line_of_text(120, needed=True)),
    "purpose": Column(cells.line_of_text(200, needed=True)),
    "contact": Column(cells.line_of_text(200, needed=True)),
    "site": Column(cells.slug),
    "network": Column(cells.slug),
    "mac": Column(_mac),
    "address": Column(_address, ""),
    "destinations": Column(_destinations),
    "rate_down_kbps": Column(_rate, None),
    "rate_up_kbps": Column(_rate, None),
    "hours": Column(cells.opening_hours, "24/7"),
    "contract_end": Column(_last_day),
    "sign_reference": Column(cells.line_of_text(80), ""),
    "sign_from": Column(_day, ""),
    "sign_until": Column(_day, ""),
    "note": Column(cells.lines_of_text(2000), ""),
}
_PLAIN = (
    *("name", "kind", "state", "owner", "purpose", "contact", "mac", "address"),
    *("rate_down_kbps", "rate_up_kbps", "hours", "sign_reference", "note"),
)
_DAYS = ("contract_end", "sign_from", "sign_until")


def _all(db: Session) -> dict[str, FixedDevice]:
    whole = joinedload(FixedDevice.site), joinedload(FixedDevice.network)
    return {device.slug: device for device in db.scalars(select(FixedDevice).options(*whole))}


def _current(db: Session) -> dict[str, Values]:
    return {slug: _values(device) for slug, device in _all(db).items()}


def _values(device: FixedDevice) -> Values:
    known: dict[str, Any] = {name: getattr(device, name) for name in _PLAIN}
    known |= {name: day.isoformat() if (day := getattr(device, name)) else "" for name in _DAYS}
    known |= {"slug": device.slug, "site": device.site.slug, "network": device.network.slug}
    known["destinations"] = EVERYWHERE if device.destinations is None else "; ".join(device.destinations)
    return {name: known[name] for name in COLUMNS}


def _judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    yield from cards.judge_devices(db, changes)
    sites = {site.slug: site for site in db.scalars(select(Site).options(selectinload(Site.networks)))}
    networks = {network.slug: network for network in db.scalars(select(Network))}
    after = {**_current(db), **{change.key: change.after for change in changes}}
    taken = {name: Counter(_place(name, values) for values in after.values()) for name in ("mac", "address")}
    for change in changes:
        values, where = change.after, change.where
        yield from _judge_place(db, change, sites.get(values["site"]), networks.get(values["network"]))
        yield from _judge_sign(change)
        if taken["mac"][_place("mac", values)] > 1:
            yield ImportFault(
                where,
                "mac",
                Sentence("another device of the register has the card %(mac)s", mac=values["mac"]),
            )
        if values["address"] and taken["address"][_place("address", values)] > 1:
            yield ImportFault(
                where,
                "address",
                Sentence("another device has the address %(address)s there", address=values["address"]),
            )


def _place(name: str, values: Values) -> tuple[str, ...]:
    """A card is one in the whole town, an address on one network at one site."""
    return (values[name],) if name == "mac" else (values["site"], values["network"], values[name])


def _judge_place(
    db: Session, change: Change, site: Site | None, network: Network | None
) -> Iterator[ImportFault]:
    values, where = change.after, change.where
    if site is None:
        yield ImportFault(where, "site", Sentence("there is no site %(site)s", site=values["site"]))
    if network is None:
        yield ImportFault(
            where, "network", Sentence("there is no network %(network)s", network=values["network"])
        )
    if site is None or network is None:
        return
    if network not in site.networks:
        yield ImportFault(
            where,
            "network",
            Sentence(
                "site %(site)s does not offer network %(network)s",
                site=site.slug,
                network=network.slug,
            ),
        )
    elif not network.allows(SigninMethod.MANAGED):
        yield ImportFault(
            where,
            "network",
            Sentence(
                "network %(network)s admits no devices: add managed to its signin_methods",
                network=network.slug,
            ),
        )
    gateways = db.scalars(
        select(Gateway).where(Gateway.site == site, Gateway.network == network, ~Gateway.is_retired)
    ).all()
    is_restricted = values["destinations"] != EVERYWHERE
    for gateway in gateways:
        if network.allows(SigninMethod.MANAGED) and not may_serve(
            gateway, is_restricted=is_restricted, has_resolver=False
        ):
            yield ImportFault(
                where,
                "destinations",
                Sentence(
                    "gateway %(gateway)s (%(kind)s) keeps no device to destinations: write everywhere, "
                    "or choose a site whose gateway does",
                    gateway=gateway.identity,
                    kind=gateway.kind,
                ),
            )
    if values["address"] and gateways:
        address = ipaddress.ip_address(values["address"])
        if not any(gateway.holds(address) for gateway in gateways):
            yield ImportFault(
                where,
                "address",
                Sentence("no gateway there has %(address)s among its clients", address=address),
            )


def reaches_as_before(before: Values, after: Values) -> bool:
    """Whether a device with these values goes at least where it went with the former ones."""
    if after["destinations"] == EVERYWHERE:
        return True
    if before["destinations"] == EVERYWHERE:
        return False
    former, present = (parse_destinations(each["destinations"].split("; ")) for each in (before, after))
    return still_reaches(former, present)


def _judge_sign(change: Change) -> Iterator[ImportFault]:
    """A camera is announced by a sign that names its authorisation (code de la sécurité intérieure, L252-1, R252-3)."""
    values = change.after
    if values["kind"] is DeviceKind.CAMERA:
        for name in ("sign_reference", "sign_from", "sign_until"):
            if not values[name]:
                yield ImportFault(
                    change.where, name, Sentence("is empty: a camera needs it, as its sign says it")
                )
    if values["sign_from"] and values["sign_until"] and values["sign_until"] < values["sign_from"]:
        yield ImportFault(change.where, "sign_until", Sentence("is before the day of the authorisation"))


def _write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    sites = {site.slug: site for site in db.scalars(select(Site))}
    networks = {network.slug: network for network in db.scalars(select(Network))}
    devices = _all(db)
    for change in changes:
        if (device := devices.get(change.key)) and device.mac != change.after["mac"]:
            # Two devices may have exchanged their cards, and no two rows have one.
            device.mac = f"-{device.id}"
    db.flush()
    for change in changes:
        values = change.after
        device = devices.get(change.key) or FixedDevice(slug=change.key, silences={})
        for name in _PLAIN:
            setattr(device, name, values[name])
        for name in _DAYS:
            setattr(device, name, date.fromisoformat(values[name]) if values[name] else None)
        device.destinations = (
            None if values["destinations"] == EVERYWHERE else values["destinations"].split("; ")
        )
        device.site, device.network = sites[values["site"]], networks[values["network"]]
        db.add(device)
    db.flush()
    return {}


def _column(name: str) -> Column | None:
    return COLUMNS.get(name)


def _names(_current: Mapping[str, Values]) -> Sequence[str]:
    return list(COLUMNS)


FIXED_DEVICES = Records("devices", "slug", _column, _names, _current, _judge, _write)
