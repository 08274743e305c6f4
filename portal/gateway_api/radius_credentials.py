"""The user and the secret of one access session at one gateway that speaks RADIUS: what a guest's browser carries."""

from __future__ import annotations

from gateways.radius import credentials
from gateways.radius.credentials import Credentials
from gateways.types import MacAddress
from portal.gateway_api.secrets import secret_of, secrets_of
from sessions.clients import SeenAccess
from sessions.models import AccessSession
from sessions.nas_signin import HeldLease
from sites.models import Gateway

PURPOSE = "radius-credentials"


def credentials_of(gateway: Gateway, access: AccessSession | SeenAccess) -> Credentials:
    """What the browser brings to the gateway; the same for as long as the session is open."""
    return credentials.credentials_of(secret_of(gateway, PURPOSE), access.id, MacAddress(access.mac))


def user_of(gateway: Gateway, number: int, mac: MacAddress) -> str:
    """The User-Name of an access session, whether or not it is still open."""
    return credentials.credentials_of(secret_of(gateway, PURPOSE), number, mac).user


def number_of(gateway: Gateway, user: str) -> int | None:
    """The access session that this user names; None for any that is not ours at this gateway."""
    found = (credentials.number_of(key, user) for key in secrets_of(gateway, PURPOSE))
    return next((number for number in found if number is not None), None)


def accepted(gateway: Gateway, lease: HeldLease, user: str) -> Credentials:
    """The credentials of a lease's session with this `user`, of before a rotation too while that overlaps."""
    made = [
        credentials.credentials_of(key, lease.access_id, MacAddress(lease.mac))
        for key in secrets_of(gateway, PURPOSE)
    ]
    return next((one for one in made if one.user == user), made[0])
