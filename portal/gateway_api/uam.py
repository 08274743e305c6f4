"""Gateways that send browsers with parameters of their own (UAM), and take a user and a secret back: gateways/uam.

What the browser brings is believed as far as it is signed. Where the make signs nothing, it is hearsay: it leads to the
first page and shows nothing of anybody, and what is carried in answer is of use to the named device alone.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from gateways.carriage import Carriage
from gateways.kinds import Kind
from gateways.registry import kind_of
from gateways.set_up import SetUp
from gateways.types import Client, IpAddress
from gateways.uam import kept, login, redirect
from gateways.uam.box import BoxFacts, MakeLines
from gateways.uam.dialect import Dialect, Outcome
from gateways.uam.encodings import Encoding, InvalidChallenge
from gateways.uam.kept import Kept
from gateways.uam.login import Answer
from gateways.uam.options import hosts_of
from gateways.uam.query import InvalidRedirect
from gateways.uam.redirect import Redirect
from gateways.uam.signature import is_signed
from portal.gateway_api import dynamic_authorization, radius_calls
from portal.gateway_api.endpoints import Departure, Endpoint, needs_no_word
from portal.gateway_api.exchanges import note
from portal.gateway_api.landings import to_page
from portal.gateway_api.radius_credentials import credentials_of
from portal.gateway_api.secrets import secret_of, secrets_of
from portal.http.client_evidence import is_let_pass, open_session
from portal.http.proxy_headers import read_address
from portal.services import services
from sessions import landings, leases, sightings
from sites.models import Gateway

log = logging.getLogger(__name__)
# The purpose of the secret that boxes call the uamsecret.
UAMSECRET = "uamsecret"
# What somebody reads whose gateway is not set up as the portal believes. Nothing that they do could help.
MISCONFIGURED = (
    "Ce point d’accès n’est pas bien réglé : son exploitant trouve la raison sur la page de la passerelle.\n"
    "This access point is not set up properly: whoever runs it finds the reason on the gateway’s page.\n"
)


class Misconfigured(Exception):
    """The gateway is not set up as its record says, or somebody made this redirect up. The text tells what differs."""


@dataclass(frozen=True, slots=True)
class Uam:
    """The browser's side of one kind."""

    kind: Kind
    dialect: Dialect

    def blueprint(self) -> Blueprint:
        """Where the gateways' redirects lead: ``/gateways/KIND/IDENTITY/``."""
        made = Blueprint(self.kind.name, __name__, url_prefix=f"/gateways/{self.kind.name}")
        made.add_url_rule("/<identity>/", "land", self.land)
        return made

    def land(self, identity: str) -> AnyResponse:
        """Read a redirect, and send the browser on to the page that it is for."""
        gateway = services().places.by_identity(identity)
        if gateway is None or gateway.kind != self.kind.name:
            abort(HTTPStatus.NOT_FOUND)
        try:
            said, signer = self._believed(gateway)
            client = Client(said.mac, (_address(gateway, said),))
        except (InvalidRedirect, InvalidChallenge, Misconfigured) as fault:
            log.warning("gateway %s: a browser came with a redirect that is not good: %s", identity, fault)
            note(gateway, "a browser's redirect", f"refused: {fault}")
            return Response(MISCONFIGURED, HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8")
        return self._onward(gateway, said, client, signer)

    def carry(self, departure: Departure) -> Carriage | None:
        """What the browser carries: the session's user and secret; or nothing but itself, to fetch a new challenge
        where the one that is known was answered before or is too old.
        """
        gateway, dialect = departure.gateway, self.dialect
        known = Kept.by(departure.told, self._speaker(gateway, departure.client.addresses[0]))
        if known.login is None:
            return None
        encoding, now = self._encoding(gateway), services().clock().timestamp()
        needs_challenge = encoding in login.CHALLENGED and not dialect.has_fixed_challenge
        if needs_challenge and not known.has_good_challenge(now=now):
            return login.renewal(dialect, known.login)
        made = credentials_of(gateway, departure.access)
        answer = Answer(made.user, made.secret, departure.back)
        good = secrets_of(gateway, UAMSECRET)
        secret = next((one for one in good if _name(one) == known.key), good[0])
        return login.carriage(dialect, known.login, answer, encoding=encoding, uamsecret=secret)

    def _encoding(self, gateway: Gateway) -> Encoding:
        known = self.dialect.encodings
        return Encoding(gateway.option("encoding")) if len(known) > 1 else known[0]

    def _believed(self, gateway: Gateway) -> tuple[Redirect, str]:
        """The redirect, and the uamsecret that it was signed with. Raises what `land` catches."""
        said, signer = redirect.read(self.dialect, request.query_string), ""
        if self.dialect.is_signed:
            signer = _signer(gateway)
        elif said.login is not None and not said.login.is_at(hosts_of(gateway.option("login_hosts"))):
            raise Misconfigured(f"its login address {said.login.origin} is of none of its login_hosts")
        if said.login is not None:
            login.check_challenge(said, self._encoding(gateway))
        return said, signer

    def _speaker(self, gateway: Gateway, address: IpAddress) -> str:
        """Whose word on a device it is: unsigned, it replaces only what came from the same address."""
        if self.dialect.is_signed:
            return ""
        remote = read_address(request.remote_addr or "")
        return str(address) if remote is None or str(remote) in gateway.public_addresses else str(remote)

    def _onward(self, gateway: Gateway, said: Redirect, client: Client, signer: str) -> AnyResponse:
        access = open_session(gateway, client.mac)
        has_session = access is not None and is_let_pass(access, gateway)
        outcome = self._keep(gateway, said, client, signer, has_session=has_session)
        is_hearsay = not self.dialect.is_signed
        if outcome in (Outcome.REFUSED, Outcome.UNANSWERED):
            reply = f": {said.reply}" if said.reply else ""
            note(gateway, f"a browser carried the sign-in of {client.mac}", f"{outcome}{reply}")
        if not has_session or outcome is Outcome.LEFT:
            return to_page("/", gateway, client, is_hearsay=is_hearsay)
        if outcome is Outcome.PASSES:
            return to_page("/opening", gateway, client, is_hearsay=is_hearsay, carried="1")
        return to_page("/opening", gateway, client, is_hearsay=is_hearsay, said=outcome.value)

    def _keep(
        self, gateway: Gateway, said: Redirect, client: Client, signer: str, *, has_session: bool
    ) -> Outcome:
        """Keep what is needed to answer, and what the gateway's own word says of its leases; what it all comes to."""
        service, speaker = services(), self._speaker(gateway, client.addresses[0])
        now, key = service.clock(), _name(signer) if signer else ""
        with service.make_session.begin() as db:
            told = landings.of(db, gateway_id=gateway.id, mac=client.mac)
            known, outcome = Kept.by(told, speaker).after(
                said, now=now.timestamp(), has_session=has_session, key=key
            )
            told = kept.keep(told, speaker, known)
            landings.keep(db, gateway_id=gateway.id, mac=client.mac, told=told, now=now)
            if self.dialect.is_signed:
                sightings.see(db, gateway_id=gateway.id, client=client, now=now)
                if said.outcome is not Outcome.PASSES:
                    leases.ask_again(db, gateway_id=gateway.id, mac=client.mac, now=now)
        return outcome


def endpoint(kind: Kind, dialect: Dialect, lines: MakeLines) -> Endpoint:
    """How gateways of a kind that sends browsers by UAM, and asks by RADIUS, meet the portal."""
    browsers = Uam(kind, dialect)
    return Endpoint(
        browsers.blueprint(),
        notify=dynamic_authorization.notify if _listens(kind) else needs_no_word,
        carry=browsers.carry,
        set_up=lambda gateway: _set_up(gateway, dialect, lines),
        shared=(radius_calls.blueprint,),
    )


def _listens(kind: Kind) -> bool:
    """Whether gateways of the kind take requests of the portal's (RFC 5176)."""
    return kind.radius is not None and kind.radius.dynauth is not None


def _set_up(gateway: Gateway, dialect: Dialect, lines: MakeLines) -> SetUp:
    shared, uamsecret = secret_of(gateway, dynamic_authorization.SHARED_SECRET), secret_of(gateway, UAMSECRET)
    host = urlsplit(services().settings.portal_url).hostname or ""
    facts = BoxFacts(
        identity=gateway.identity,
        host=host,
        landing=uamserver_of(gateway),
        radius=host,
        shared_secret=shared,
        uamsecret=uamsecret,
        coa_port=gateway.option("coa_port") if _listens(kind_of(gateway.kind)) else "3799",
        interim_seconds=gateway.option("interim_seconds"),
    )
    return SetUp(lines(facts), (shared, uamsecret) if dialect.is_signed else (shared,))


def uamserver_of(gateway: Gateway) -> str:
    """The address to set in the box, unless the operator has set another one."""
    return f"{services().settings.portal_url}/gateways/{gateway.kind}/{gateway.identity}/"


def _signer(gateway: Gateway) -> str:
    """The uamsecret that this redirect was signed with. Raises `Misconfigured`."""
    server = gateway.option("uamserver") or uamserver_of(gateway)
    for secret in secrets_of(gateway, UAMSECRET):
        if is_signed(request.query_string, uamserver=server, uamsecrets=[secret]):
            return secret
    raise Misconfigured("md does not fit: its uamsecret or its uamserver is another than the portal's")


def _address(gateway: Gateway, said: Redirect) -> IpAddress:
    """The client's address: what is said of it counts where the portal sees the same, or cannot see it.

    Raises `Misconfigured`.
    """
    remote = read_address(request.remote_addr or "")
    address = said.address or remote
    if address is None or not gateway.holds(address):
        raise Misconfigured(f"its client's address {address} is in none of its prefixes")
    is_translated = str(remote) in gateway.public_addresses
    if remote is not None and remote.version == address.version and remote != address and not is_translated:
        raise Misconfigured(f"it says {address}, and the browser comes from {remote}")
    return address


def _name(secret: str) -> str:
    """How a row names a secret, without saying it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]
