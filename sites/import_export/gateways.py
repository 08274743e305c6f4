"""Gateway records. No credential is ever written out; a new gateway's is made on import and given once."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from gateways.kinds import InvalidOptions
from gateways.landing_token import credential_digest
from gateways.registry import kind_of
from gateways.sentences import Sentence
from sites.errors import ImportFault, InvalidGateway
from sites.gateway_limits import limits
from sites.gateways import (
    CREDENTIAL_BYTES,
    MOST_PORTS,
    Shared,
    overlap,
    public_fault,
    read_prefixes,
    read_public,
    read_redirector,
)
from sites.import_export import cells
from sites.import_export.records import Change, Column, Records, Values
from sites.models import Gateway, Network, Site


def _kind(text: str) -> str:
    if not text.strip():
        raise ValueError(Sentence("is empty"))
    # UnknownKind is a ValueError.
    return kind_of(text.strip()).name


def _prefixes(text: str) -> tuple[str, ...]:
    try:
        return read_prefixes(text.replace(",", " ").split())
    except InvalidGateway as error:
        raise ValueError(error.reason) from error


def _redirector(text: str) -> str:
    try:
        return read_redirector(text.strip())
    except InvalidGateway as error:
        raise ValueError(error.reason) from error


def _public(text: str) -> tuple[str, ...]:
    try:
        return read_public(text.replace(",", " ").split())
    except InvalidGateway as error:
        raise ValueError(error.reason) from error


def _options(text: str) -> str:
    """Read NAME=VALUE, separated by semicolons; in the order of the alphabet."""
    return _written(_read(text))


def _read(text: str) -> dict[str, str]:
    options = dict[str, str]()
    for part in filter(None, map(str.strip, text.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or name.strip() in options:
            raise ValueError(
                Sentence(
                    "'%(part)s' is not NAME=VALUE, each name once, separated by semicolons", part=part[:40]
                )
            )
        options[name.strip()] = value.strip()
    return options


def _written(options: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in sorted(options.items()))


COLUMNS = {
    "identity": Column(cells.slug),
    "kind": Column(_kind),
    "site": Column(cells.slug),
    "network": Column(cells.slug),
    "client_prefixes": Column(_prefixes),
    "redirector_url": Column(_redirector, ""),
    "public_addresses": Column(_public, ()),
    "ports_per_client": Column(cells.whole(0, MOST_PORTS), 0),
    "options": Column(_options, ""),
    "is_retired": Column(cells.yes_or_no, False),
}


def _names(_current: Mapping[str, Values]) -> Sequence[str]:
    return list(COLUMNS)


def _all(db: Session) -> dict[str, Gateway]:
    whole = joinedload(Gateway.site), joinedload(Gateway.network)
    return {gateway.identity: gateway for gateway in db.scalars(select(Gateway).options(*whole))}


def _current(db: Session) -> dict[str, Values]:
    return {identity: _values(gateway) for identity, gateway in _all(db).items()}


def _values(gateway: Gateway) -> Values:
    return {
        "identity": gateway.identity,
        "kind": gateway.kind,
        "site": gateway.site.slug,
        "network": gateway.network.slug,
        "client_prefixes": tuple(gateway.client_prefixes),
        "redirector_url": gateway.redirector_url,
        "public_addresses": tuple(gateway.public_addresses),
        "ports_per_client": gateway.ports_per_client,
        "options": _written(gateway.options),
        "is_retired": gateway.is_retired,
    }


def _judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    sites = {site.slug: site for site in db.scalars(select(Site).options(selectinload(Site.networks)))}
    methods = {network.slug: network.signin_methods for network in db.scalars(select(Network))}
    for change in changes:
        site, network = change.after["site"], change.after["network"]
        if site not in sites:
            yield ImportFault(change.where, "site", Sentence("there is no site %(site)s", site=site))
        elif network not in [offered.slug for offered in sites[site].networks]:
            yield ImportFault(
                change.where,
                "network",
                Sentence("site %(site)s does not offer network %(network)s", site=site, network=network),
            )
        kind = kind_of(change.after["kind"])
        try:
            options = kind.read_options(_read(change.after["options"]))
        except InvalidOptions as error:
            yield from (ImportFault(change.where, "options", fault) for fault in error.faults)
            continue
        ports = change.after["ports_per_client"]
        for column, fault in limits(kind, options, methods=methods.get(network, ()), ports_per_client=ports):
            yield ImportFault(change.where, column, fault)
    current = _current(db)
    yield from _overlaps(current, changes)
    yield from _public_faults(current, changes)


def _overlaps(current: dict[str, Values], changes: Sequence[Change]) -> Iterator[ImportFault]:
    """Two gateways of one site with a prefix in common: the later row of the file is told."""
    final = {
        key: (values["site"], values["client_prefixes"])
        for key, values in current.items()
        if not values["is_retired"]
    }
    for change in changes:
        final.pop(change.key, None)
    for change in changes:
        if change.after["is_retired"]:
            continue
        ours = [ipaddress.ip_network(text) for text in change.after["client_prefixes"]]
        for other, (site, prefixes) in final.items():
            shared = site == change.after["site"] and overlap(ours, map(ipaddress.ip_network, prefixes))
            if shared:
                yield ImportFault(
                    change.where,
                    "client_prefixes",
                    Sentence("overlap those of %(other)s at the same site", other=other),
                )
        final[change.key] = (change.after["site"], change.after["client_prefixes"])


def _public_faults(current: dict[str, Values], changes: Sequence[Change]) -> Iterator[ImportFault]:
    """Blocks of ports that would not say who it was: the later row of the file is told."""
    final = {key: _shared(values) for key, values in current.items() if not values["is_retired"]}
    for change in changes:
        final.pop(change.key, None)
    for change in changes:
        if change.after["is_retired"]:
            continue
        ours = _shared(change.after)
        if fault := public_fault(ours.public_addresses, ours.ports_per_client, final.values()):
            yield ImportFault(change.where, "public_addresses", fault)
        final[change.key] = ours


def _shared(values: Values) -> Shared:
    return Shared(values["identity"], values["public_addresses"], values["ports_per_client"])


def _write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    sites = {site.slug: site for site in db.scalars(select(Site))}
    networks = {network.slug: network for network in db.scalars(select(Network))}
    known = _all(db)
    credentials = {}
    for change in changes:
        gateway = known.get(change.key)
        if gateway is None:
            credentials[change.key] = secrets.token_urlsafe(CREDENTIAL_BYTES)
            gateway = Gateway(credential_digest=credential_digest(credentials[change.key]))
        gateway.identity = change.key
        gateway.kind = change.after["kind"]
        gateway.site = sites[change.after["site"]]
        gateway.network = networks[change.after["network"]]
        gateway.client_prefixes = list(change.after["client_prefixes"])
        gateway.redirector_url = change.after["redirector_url"]
        gateway.public_addresses = list(change.after["public_addresses"])
        gateway.ports_per_client = change.after["ports_per_client"]
        gateway.is_retired = change.after["is_retired"]
        gateway.options = kind_of(gateway.kind).read_options(_read(change.after["options"]))
        db.add(gateway)
    return credentials


GATEWAYS = Records("gateways", "identity", COLUMNS.get, _names, _current, _judge, _write)
