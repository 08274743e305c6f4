"""The records of gateways: made, found by what they present or whom they serve, and checked."""

from __future__ import annotations

import functools
import ipaddress
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from sqlalchemy import select, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.types import NullType

from db.drivers import Row
from db.prepared import Prepared
from db.statements import table_of
from gateways.kinds import InvalidOptions
from gateways.landing_token import credential_digest
from gateways.registry import kind_of
from gateways.sentences import Sentence
from gateways.types import FIRST_BLOCK_PORT, LAST_BLOCK_PORT, IpAddress
from sites.errors import AmbiguousAddress, InvalidGateway, TakenIdentity
from sites.gateway_limits import limits
from sites.models import Feed, Gateway, Network, Site

Given = TypeVar("Given")
Read = TypeVar("Read")
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network

CREDENTIAL_BYTES = 32
# A phone with a few open pages has some hundred flows; a block may be all that is handed out of one address.
FEWEST_PORTS, MOST_PORTS = 64, LAST_BLOCK_PORT - FIRST_BLOCK_PORT + 1
IDENTITY = re.compile(r"[a-z0-9-]{1,64}")
# Neither query nor fragment, since the portal adds its own.
_PLAIN_URL = re.compile(r"[!$->@-~]+")
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]")


def add_gateway(
    db: Session,
    *,
    identity: str,
    kind: str,
    site: Site,
    network: Network,
    client_prefixes: Sequence[str],
    redirector_url: str = "",
    public_addresses: Sequence[str] = (),
    ports_per_client: int = 0,
    options: Mapping[str, str] | None = None,
) -> tuple[Gateway, str]:
    """Record a gateway for `network` at `site`.

    `kind` is the name of a kind, and `options` are what it has the operator set. Gives the credential too, which is
    kept as a digest and can be shown only now. Raises InvalidGateway with all reasons, TakenIdentity when the identity
    is in use, and `UnknownKind`.
    """
    faults = _Faults()
    if not IDENTITY.fullmatch(identity):
        faults.append(
            Sentence("identity '%(identity)s' is not 1 to 64 of a-z, 0-9 and -", identity=identity[:80])
        )
    if network not in site.networks:
        faults.append(
            Sentence(
                "site %(site)s does not offer network %(network)s",
                site=site.slug,
                network=network.slug,
            )
        )
    nothing: tuple[str, ...] = ()
    prefixes = faults.of(read_prefixes, client_prefixes, nothing)
    in_use = [one for one in select_at(db, site) if not one.is_retired]
    faults.extend(_overlaps(identity, prefixes, in_use))
    redirector = faults.of(read_redirector, redirector_url, "")
    addresses = faults.of(read_public, public_addresses, nothing)
    shared = select(Gateway.identity, Gateway.public_addresses, Gateway.ports_per_client)
    others = db.execute(shared.where(~Gateway.is_retired)).all()
    if not public_addresses or addresses:
        fault = public_fault(addresses, ports_per_client, map(Shared._make, others))
        faults.extend([fault] if fault else [])
    kept = faults.of(functools.partial(read_options, kind), options or {}, None)
    if kept is not None:
        too_much = limits(
            kind_of(kind), kept, methods=network.signin_methods, ports_per_client=ports_per_client
        )
        faults.extend(fault for _, fault in too_much)
    if faults:
        raise InvalidGateway(*faults)
    credential = secrets.token_urlsafe(CREDENTIAL_BYTES)
    gateway = Gateway(
        identity=identity,
        kind=kind,
        credential_digest=credential_digest(credential),
        site=site,
        network=network,
        client_prefixes=list(prefixes),
        redirector_url=redirector,
        public_addresses=list(addresses),
        ports_per_client=ports_per_client,
        options=kept,
    )
    try:
        with db.begin_nested():
            db.add(gateway)
    except IntegrityError as error:
        raise TakenIdentity(identity) from error
    return gateway, credential


def rotate_credential(
    db: Session, gateway: Gateway, *, keep_old_until: datetime | None = None, credential: str | None = None
) -> str:
    """Give the gateway a new credential; the old one is worth nothing once this is committed.

    `credential` is one of as many bits that the caller has drawn; None draws one.

    Until `keep_old_until`, secrets that were made of the old one hold beside the new ones: for boxes in which somebody
    has to set them by hand. The old credential itself never does.
    """
    credential = credential or secrets.token_urlsafe(CREDENTIAL_BYTES)
    gateway.previous_digest = gateway.credential_digest if keep_old_until else None
    gateway.previous_until = keep_old_until
    gateway.credential_digest = credential_digest(credential)
    db.flush()
    return credential


def by_identity(db: Session, identity: str) -> Gateway | None:
    return db.scalars(select(Gateway).where(Gateway.identity == identity)).one_or_none()


def every(db: Session) -> Sequence[Gateway]:
    """All gateways by their identity, each with its site and network."""
    whole = joinedload(Gateway.site), joinedload(Gateway.network)
    return db.scalars(select(Gateway).options(*whole).order_by(Gateway.identity)).all()


def rows(db: Session) -> list[Row]:
    """All that `every` reads, as the database's driver has it, but for what gateways say of themselves: to be compared.

    A twentieth of the work.
    """
    return _ROWS.all(db)


def by_address(db: Session, address: IpAddress) -> Gateway | None:
    """The gateway whose clients have this address, by the longest prefix; None when nobody's do.

    Raises AmbiguousAddress when two sites use the same private prefix: then only a landing token can tell.
    """
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    found: list[tuple[int, int, str]] = []
    for number, identity, prefixes in db.execute(
        select(Gateway.id, Gateway.identity, Gateway.client_prefixes)
        .where(~Gateway.is_retired)
        .order_by(Gateway.identity)
    ):
        lengths = [net.prefixlen for net in map(_prefix, prefixes) if address in net]
        if lengths:
            found.append((max(lengths), number, identity))
    if not found:
        return None
    longest = max(length for length, _, _ in found)
    nearest = [(number, identity) for length, number, identity in found if length == longest]
    if len(nearest) > 1:
        raise AmbiguousAddress([identity for _, identity in nearest])
    return db.get(Gateway, nearest[0][0])


def feed_versions(db: Session) -> dict[int, int]:
    """The version of every gateway's feed, by the gateway's id."""
    return dict(_VERSIONS.all(db))


def to_notify(db: Session, *, kinds: Collection[str], called: Collection[str] = ()) -> Sequence[Gateway]:
    """The gateways of `kinds` that have not confirmed all changes, and all of `called`, with site and network."""
    behind = (Feed.confirmed_version < Feed.version) | Gateway.kind.in_(called)
    return db.scalars(
        select(Gateway)
        .join(Feed, Feed.gateway_id == Gateway.id)
        .where(behind, Gateway.kind.in_(kinds))
        .options(joinedload(Gateway.site), joinedload(Gateway.network))
        .order_by(Gateway.identity)
    ).all()


@functools.lru_cache(maxsize=8192)
def _prefix(text: str) -> Prefix:
    return ipaddress.ip_network(text)


def select_at(db: Session, site: Site) -> Sequence[Gateway]:
    """The gateways recorded at `site`."""
    if site.id is None:
        return ()
    return db.scalars(select(Gateway).where(Gateway.site_id == site.id).order_by(Gateway.identity)).all()


def _overlaps(identity: str, prefixes: Sequence[str], others: Iterable[Gateway]) -> Iterator[Sentence]:
    """What is wrong where a client of this gateway could be a client of another one at the same site."""
    ours = [ipaddress.ip_network(text) for text in prefixes]
    for other in others:
        if other.identity == identity:
            continue
        if overlap(ours, map(ipaddress.ip_network, other.client_prefixes)):
            yield Sentence(
                "its prefixes overlap those of %(other)s at the same site",
                other=other.identity,
            )


def overlap(ours: Sequence[Prefix], theirs: Iterable[Prefix]) -> bool:
    """Whether any address is in both."""
    return any(our.version == their.version and our.overlaps(their) for their in theirs for our in ours)


class _Faults(list[Sentence]):
    """Everything that is wrong with a record."""

    def of(self, read: Callable[[Given], Read], given: Given, otherwise: Read) -> Read:
        """What `read` makes of what was given; `otherwise` where it finds faults, which are noted."""
        try:
            return read(given)
        except InvalidGateway as error:
            self.extend(error.reasons)
            return otherwise


def read_prefixes(texts: Sequence[str]) -> tuple[str, ...]:
    """Read prefixes as ``10.66.0.0/24`` or ``fd66::/64``, at least one; raises InvalidGateway."""
    if not texts:
        raise InvalidGateway(Sentence("at least one client prefix is needed"))
    prefixes = []
    for text in texts:
        prefix = _read_prefix(text)
        if prefix.prefixlen == 0:
            raise InvalidGateway(Sentence("client prefix %(prefix)s is everybody", prefix=prefix))
        prefixes.append(str(prefix))
    return tuple(dict.fromkeys(prefixes))


def _read_prefix(text: str) -> Prefix:
    try:
        prefix = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        fault = Sentence("client prefix: '%(text)s' is no network such as 10.66.0.0/24", text=text[:60])
        raise InvalidGateway(fault) from error
    if str(prefix.network_address) != str(ipaddress.ip_interface(text).ip):
        fault = Sentence(
            "client prefix %(text)s has host bits set: is it %(prefix)s?", text=text, prefix=prefix
        )
        raise InvalidGateway(fault)
    return prefix


def read_public(texts: Sequence[str]) -> tuple[str, ...]:
    """Read the public IPv4 addresses of a gateway's clients; raises InvalidGateway."""
    addresses = []
    for text in texts:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError as error:
            raise InvalidGateway(
                Sentence("public address: '%(text)s' is no IPv4 address", text=text[:60])
            ) from error
        if address.is_multicast or address.is_loopback or address.is_unspecified or address.is_reserved:
            raise InvalidGateway(
                Sentence("public address %(address)s is not the address of one machine", address=address)
            )
        addresses.append(str(address))
    return tuple(dict.fromkeys(addresses))


class Shared(NamedTuple):
    """What a gateway's record says of the addresses its clients are seen behind."""

    identity: str
    public_addresses: Sequence[str]
    ports_per_client: int


def public_fault(
    addresses: Sequence[str], ports_per_client: int, others: Iterable[Shared]
) -> Sentence | None:
    """Why clients cannot have blocks of ports so, or None when they can.

    A block must say who it was by itself: two gateways that hand out blocks of one address would hand out the same.
    """
    if ports_per_client and not FEWEST_PORTS <= ports_per_client <= MOST_PORTS:
        return Sentence(
            "ports per client is 0 or from %(least)s to %(most)s",
            least=FEWEST_PORTS,
            most=MOST_PORTS,
        )
    if ports_per_client and not addresses:
        return Sentence("ports per client need at least one public address")
    for other in others:
        shared = sorted(set(addresses) & set(other.public_addresses))
        if shared and (ports_per_client or other.ports_per_client):
            return Sentence(
                "%(shared)s is %(other)s's too: blocks of ports need an address of their own",
                shared=shared[0],
                other=other.identity,
            )
    return None


def read_options(kind: str, given: Mapping[str, str]) -> dict[str, str]:
    """The options of a record of this kind, checked; raises InvalidGateway with all faults, and `UnknownKind`."""
    try:
        return kind_of(kind).read_options(given)
    except InvalidOptions as error:
        raise InvalidGateway(*error.faults) from error


def read_redirector(text: str) -> str:
    """Check the address guests are sent to for a landing token; empty means none. Raises InvalidGateway."""
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidGateway(
            Sentence("redirector URL '%(text)s' is not like http://10.66.0.1:8081/", text=text[:80])
        ) from error
    host = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    plain = _PLAIN_URL.fullmatch(text) and len(text) <= 200
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or not plain:
        raise InvalidGateway(
            Sentence("redirector URL '%(text)s' is not like http://10.66.0.1:8081/", text=text[:80])
        )
    return text


_feeds, _gateways, _sites, _networks = table_of(Feed), table_of(Gateway), table_of(Site), table_of(Network)
_ROWS = Prepared(
    select(
        *(
            # Of no type: nothing is made of them.
            type_coerce(column, NullType())
            for table in (_gateways, _sites, _networks)
            for column in table.columns
            if column is not _gateways.c.health
        )
    )
    .select_from(_gateways)
    .join(_sites, _sites.c.id == _gateways.c.site_id)
    .join(_networks, _networks.c.id == _gateways.c.network_id)
    .order_by(_gateways.c.id)
)
# Asked after each commit while gateways wait.
_VERSIONS = Prepared(select(_feeds.c.gateway_id, _feeds.c.version))
