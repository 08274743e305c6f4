"""A device that the town manages: it is online because a register wants it to be, and nobody signs in for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from gateways.destinations import Destination
from gateways.types import IpAddress, MacAddress
from sites.models import Gateway, SigninMethod


@dataclass(frozen=True, slots=True)
class Managed:
    """A device that is to be online now, at these gateways, and for what.

    `subject` names its record ("device:12"): it stands in the session log. `until` bounds every lease (None: for as
    long as it is wanted). Rates are in kbit/s; None leaves those of the place. Without `destinations` it goes
    everywhere. `resolver` is where its DNS goes, whatever server it asks; None leaves that to the gateway.
    """

    subject: str
    mac: MacAddress
    gateway_ids: frozenset[int]
    until: datetime | None = None
    rate_down_kbps: int | None = None
    rate_up_kbps: int | None = None
    destinations: tuple[Destination, ...] | None = None
    resolver: IpAddress | None = None


# What a register says at an instant: every device that it wants to be online, and no other.
Provider = Callable[[Session, datetime], Iterable[Managed]]


def may_serve(gateway: Gateway, *, is_restricted: bool, has_resolver: bool) -> bool:
    """Whether this gateway may let in a managed device: by its network, and by what its kind can keep."""
    able = gateway.capabilities
    return (
        gateway.network.allows(SigninMethod.MANAGED)
        and (able.limits_destinations or not is_restricted)
        and (able.chooses_resolvers or not has_resolver)
    )
