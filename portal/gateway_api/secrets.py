"""The secrets that a gateway's box and the portal share, for one purpose each."""

from __future__ import annotations

from portal.services import services
from sites.models import Gateway


def secret_of(gateway: Gateway, purpose: str) -> str:
    """The secret to set in the box: 52 of a-z and 2-7."""
    return services().gateway_secrets.typed(gateway.credential_digest, purpose)


def secrets_of(gateway: Gateway, purpose: str) -> tuple[str, ...]:
    """The secrets that are good now, the one to set first: while a rotation overlaps, the one before it too."""
    good = [secret_of(gateway, purpose)]
    until = gateway.previous_until
    if gateway.previous_digest and until is not None and services().clock() < until:
        good.append(services().gateway_secrets.typed(gateway.previous_digest, purpose))
    return tuple(good)
