"""What the browser carries back to the gateway: the user and the secret, as this make wants to hear them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlsplit

from gateways.carriage import Carriage
from gateways.uam.dialect import Dialect
from gateways.uam.encodings import Encoding, mikrotik_bytes, mikrotik_chap, uam_challenge, uam_chap, uam_pap
from gateways.uam.redirect import Redirect

# CoovaChilli makes a new challenge after ten minutes and takes the old one for ten more; the others are not quicker.
CHALLENGE_LIFE = timedelta(minutes=9)
CHALLENGED = frozenset({Encoding.UAM_PAP, Encoding.UAM_CHAP, Encoding.MIKROTIK_CHAP})


@dataclass(frozen=True, slots=True)
class Login:
    """What is kept of a redirect to answer it: where to sign in, the challenge, and what the gateway wants back.

    `url` is an address that was made sure of.
    """

    url: str
    challenge: str = ""
    chap_ident: str = ""
    echoed: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, redirect: Redirect) -> Self | None:
        """What to keep of this redirect; None where it names no login address."""
        if redirect.login is None:
            return None
        return cls(redirect.login.url, redirect.challenge, redirect.chap_ident, redirect.echoed)

    def told(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "url": self.url,
            "challenge": self.challenge,
            "chap_ident": self.chap_ident,
            "echoed": [list(pair) for pair in self.echoed],
        }

    @classmethod
    def from_told(cls, told: Mapping[str, Any]) -> Self:
        """Read what `told` made."""
        echoed = tuple((str(name), str(value)) for name, value in told["echoed"])
        return cls(told["url"], told["challenge"], told["chap_ident"], echoed)


@dataclass(frozen=True, slots=True)
class Answer:
    """Who signs in, and where the gateway is to send the browser afterwards."""

    user: str
    secret: str
    back: str


def check_challenge(redirect: Redirect, encoding: Encoding) -> None:
    """Raises `InvalidChallenge` where a login in this encoding could not be made of what the gateway said."""
    if encoding in (Encoding.UAM_PAP, Encoding.UAM_CHAP):
        uam_challenge(redirect.challenge)
    elif encoding is Encoding.MIKROTIK_CHAP:
        mikrotik_bytes(redirect.chap_ident)
        mikrotik_bytes(redirect.challenge)


def carriage(
    dialect: Dialect, login: Login, answer: Answer, *, encoding: Encoding, uamsecret: str = ""
) -> Carriage:
    """The request for the guest's browser. Raises `InvalidChallenge`."""
    fields = {**dialect.constants, **dict(login.echoed), dialect.user_field: answer.user}
    match encoding:
        case Encoding.PLAIN:
            fields[dialect.secret_field] = answer.secret
        case Encoding.UAM_PAP:
            hidden = uam_pap(answer.secret, challenge=login.challenge, uamsecret=uamsecret)
            fields[dialect.secret_field] = hidden
        case Encoding.UAM_CHAP:
            hidden = uam_chap(answer.secret, challenge=login.challenge, uamsecret=uamsecret)
            fields[dialect.response_field] = hidden
        case Encoding.MIKROTIK_CHAP:
            hidden = mikrotik_chap(answer.secret, ident=login.chap_ident, challenge=login.challenge)
            fields[dialect.response_field] = hidden
    if dialect.back is not None:
        fields[dialect.back] = answer.back
    return Carriage(login.url, fields, dialect.method)


def renewal(dialect: Dialect, login: Login) -> Carriage | None:
    """Where the browser fetches a new challenge, and comes back with it; None where the make has no such place."""
    if dialect.renewal_path is None:
        return None
    parts = urlsplit(login.url)
    return Carriage(f"{parts.scheme}://{parts.netloc}{dialect.renewal_path}")
