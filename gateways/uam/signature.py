"""The signature of CoovaChilli and of those who follow it: ``md`` at the end of the address.

``md`` is the MD5, in hex, over the address as it was sent up to ``&md=``, and the uamsecret after it. The address
begins with the uamserver as it is set in the gateway: behind a proxy the portal's own idea of it may be another. It
proves who made the address, and not when.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable

_MD = re.compile(rb"^(?P<signed>.*)&md=(?P<md>[0-9A-Fa-f]{32})$", re.DOTALL)


def sign(address: bytes, *, uamsecret: str) -> str:
    """The ``md`` for this address."""
    return hashlib.md5(address + uamsecret.encode(), usedforsecurity=False).hexdigest().upper()


def is_signed(query: bytes, *, uamserver: str, uamsecrets: Iterable[str]) -> bool:
    """Whether the raw `query`, as the browser sent it, was made by a gateway with this uamserver and one of these.

    A uamserver may have a query of its own: CoovaChilli then goes on with "&". An empty uamsecret signs nothing.
    """
    match = _MD.match(query)
    if match is None:
        return False
    base = uamserver.partition("?")[0].encode()
    address, md = base + b"?" + match["signed"], match["md"].decode().upper()
    return any(
        hmac.compare_digest(sign(address, uamsecret=secret), md) for secret in filter(None, uamsecrets)
    )
