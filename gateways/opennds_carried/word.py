"""The portal's word to an openNDS, as a browser carries it: who is let in, for how long, how fast.

openNDS 9.10 and 10.x, documentation "FAS, levels 1 and 2" and "BinAuth": ``/opennds_auth/?tok=&redir=&custom=``.
openNDS itself has no place for time and rates there. They stand in ``custom``, and the BinAuth script beside this
module believes them by their seal.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from gateways.set_up import Lines

SCRIPT = "/etc/opennds/arobase_binauth.sh"
_TEMPLATE = Path(__file__).with_name("binauth.sh")


def custom(*, seconds: int, up_kbps: int, down_kbps: int, rhid: str, faskey: str) -> str:
    """What is granted to the token whose `rhid` this is, and to no other.

    Two digests, one within the other: nothing can be added to the end (RFC 2104 section 2 for the thought). Raises
    ValueError for what is no grant: openNDS takes no seconds for its own length.
    """
    if not 1 <= seconds < 2**31 or not 0 <= min(up_kbps, down_kbps) <= max(up_kbps, down_kbps) < 2**31:
        raise ValueError("whole seconds, at least one, and rates that are not negative")
    granted = f"{seconds}.{up_kbps}.{down_kbps}"
    inner = hashlib.sha256(f"{faskey}{granted}.{rhid}".encode()).hexdigest()
    return f"{granted}.{hashlib.sha256(f'{faskey}{inner}'.encode()).hexdigest()}"


def script(faskey: str) -> Lines:
    """The BinAuth script, with this gateway's faskey in it."""
    text = _TEMPLATE.read_text(encoding="ascii").replace("@FASKEY@", faskey)
    return Lines(f"{SCRIPT} (mode 0755)", text)
