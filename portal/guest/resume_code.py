"""The code to keep, for the day on which this device has another address: before the grant and after it the same."""

from __future__ import annotations

import hmac

from auth import resume_codes
from portal.http.clients import ClientContext
from portal.services import services
from sessions.clients import SeenAccess
from sites.models import Network


def code_before(visit: ClientContext) -> str | None:
    """The code of the session that this visit would begin, as pages show it; None where no landing is known."""
    code = _code_of(visit)
    # It is not broken at its hyphen: U+2011.
    return None if code is None else resume_codes.show(code).replace("-", "\u2011")


def digest_for(visit: ClientContext) -> str | None:
    """What the session that this visit begins keeps of its code."""
    code = _code_of(visit)
    return None if code is None else services().resume_codes.digest(visit.gateway.network.slug, code)


def code_of(access: SeenAccess, network: Network) -> str | None:
    """The code of an open session, as pages show it; None where it has none that the present key makes."""
    if access.landed_at is None or access.resume_digest is None:
        return None
    codes = services().resume_codes
    code = codes.of(network.slug, access.mac, access.landed_at)
    is_its_own = hmac.compare_digest(codes.digest(network.slug, code), access.resume_digest)
    return resume_codes.show(code) if is_its_own else None


def _code_of(visit: ClientContext) -> str | None:
    if visit.landed_at is None:
        return None
    return services().resume_codes.of(visit.gateway.network.slug, visit.mac, visit.landed_at)
