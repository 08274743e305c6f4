"""What card and PIN have allowed, until the file is fetched: an encrypted token in the page's address, and no row."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from auth.devices.service import Enrolment
from gateways.registry import kind_of
from portal.services import services
from sites.models import Gateway

PURPOSE, LIFE = "profile grant", timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class ProfileGrant:
    """A profile for one device of the patron `subject`, taken at a gateway. `terms`: version, language, digest."""

    gateway: str
    subject: str
    login: str = field(repr=False)
    device: str
    nonce: str
    password: str = field(repr=False)
    terms: tuple[str, str, str]
    card_until: datetime | None

    def as_token(self) -> str:
        claims: dict[str, Any] = asdict(self)
        claims["card_until"] = None if self.card_until is None else self.card_until.isoformat()
        return services().encrypted_tokens.encrypt(PURPOSE, claims, now=services().clock(), life=LIFE)

    @property
    def enrolment(self) -> Enrolment:
        return Enrolment(
            self.subject, self.login, self.device, self.nonce, *self.terms, card_until=self.card_until
        )


def granted(token: str) -> ProfileGrant:
    """Raises `InvalidToken`, and `ExpiredToken` for a page that has been open for too long."""
    claims = services().encrypted_tokens.decrypt(PURPOSE, token, now=services().clock())
    claims.pop("exp")
    ends = claims.pop("card_until")
    terms = tuple(claims.pop("terms"))
    return ProfileGrant(
        **claims, terms=terms, card_until=None if ends is None else datetime.fromisoformat(ends)
    )


def ssids_at(gateway: Gateway) -> tuple[str, ...]:
    """The names of the encrypted networks that belong to the network of this gateway."""
    found = set()
    for other in services().places.gateways():
        profile = kind_of(other.kind).radius
        if other.network_id == gateway.network_id and profile is not None and profile.joins_by_certificate:
            found.add(other.option("ssid"))
    return tuple(sorted(found))
