"""What gateways of one make say in their redirect, and what they want to hear: data, read by `redirect` and `login`."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateways.uam.encodings import Encoding

# The spellings of one parameter; versions of a firmware differ in them.
Names = tuple[str, ...]

STANDARD_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


class Outcome(enum.StrEnum):
    """What the gateway says of the client with its redirect."""

    # It is not let pass: it has just come, or its time is over.
    NOT_YET = "not_yet"
    # What the browser carried was taken.
    PASSES = "passes"
    # What the browser carried was refused, by the RADIUS server or by the gateway.
    REFUSED = "refused"
    # The gateway got no answer from the RADIUS server.
    UNANSWERED = "unanswered"
    # What the browser carried came too late, or not as the gateway wants it: its challenge was another.
    STALE = "stale"
    # The client has signed out at the gateway.
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRule:
    """Where the browser carries the secret to: what the redirect may say of it, and what is fixed.

    Either `url` names the parameter with the whole address, or `host` that with the host; `port` and `scheme` may have
    one of their own. `path` is what the address's path must be, or is. `schemes` are those allowed, the usual one
    first, and `ports` the usual port of each scheme.
    """

    path: re.Pattern[str] | str
    url: Names = ()
    host: Names = ()
    port: Names = ()
    scheme: Names = ()
    schemes: tuple[str, ...] = ("http",)
    ports: Mapping[str, int] = field(default_factory=lambda: STANDARD_PORTS)
    # The names that stay in the query of a whole address. Others fall away: one may say where the guest wants to go.
    kept: Names = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One make of gateways. Names are those of parameters and form fields, as the gateway spells them.

    `constants` and `echoed` go with the login: the first as they are, the second as the redirect had them. `back` is
    the field that takes the address to send the browser to afterwards.
    """

    mac: Names
    login: LoginRule
    # Without it the client's address is the one at the other end of the connection.
    address: Names = ()
    method: Literal["GET", "POST"] = "POST"
    user_field: str = "username"
    secret_field: str = "password"
    # In the place of `secret_field`, where the secret is an answer to a challenge.
    response_field: str = "password"
    encodings: tuple[Encoding, ...] = (Encoding.PLAIN,)
    back: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    echoed: Mapping[str, Names] = field(default_factory=dict)
    # Of the redirect: whether its end is signed, the challenge, and the number of the session at the gateway.
    is_signed: bool = False
    challenge: Names = ()
    chap_ident: Names = ()
    session: Names = ()
    # How it tells the outcome of a login: the parameter, and what its words mean. Absent or empty is `NOT_YET`.
    outcome: Names = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    reason: Names = ()
    reasons: Mapping[str, Outcome] = field(default_factory=dict)
    # Any text in one of these says that a login was refused.
    error: Names = ()
    reply: Names = ()
    # Where a browser fetches a new challenge; None where there is no such place.
    renewal_path: str | None = None
    # Whether a challenge is given to one client for ever, so that it can be neither old nor spent.
    has_fixed_challenge: bool = False

    @property
    def names(self) -> frozenset[str]:
        """All parameters that are read."""
        rule = self.login
        groups = (
            self.mac,
            self.address,
            self.challenge,
            self.chap_ident,
            self.session,
            self.outcome,
            self.reason,
            self.error,
            self.reply,
            rule.url,
            rule.host,
            rule.port,
            rule.scheme,
            *self.echoed.values(),
        )
        return frozenset(name for group in groups for name in group)
