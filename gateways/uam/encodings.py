"""How a secret is put on its way to a gateway: in clear, or mixed with the gateway's challenge.

UAM as ChilliSpot began it and CoovaChilli speaks it; MikroTik's HotSpot as RouterOS documents it.
"""

from __future__ import annotations

import enum
import hashlib
import re

_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){16}")
LONGEST_CHALLENGE = 64


class Encoding(enum.StrEnum):
    """How the secret travels."""

    PLAIN = "plain"
    # XOR with the key, in hex: the gateway then sends User-Password.
    UAM_PAP = "uam-pap"
    # MD5 over secret and key (RFC 1994 section 4.1, identifier 0): the gateway then sends CHAP-Password.
    UAM_CHAP = "uam-chap"
    # MD5 over identifier, secret and challenge, all three as MikroTik's login page has them.
    MIKROTIK_CHAP = "mikrotik-chap"


class InvalidChallenge(ValueError):
    """The challenge is not one that a gateway of this make gives."""


def uam_challenge(text: str) -> bytes:
    """A challenge of UAM: 16 bytes in hex. Raises `InvalidChallenge`."""
    if not _HEX.fullmatch(text):
        raise InvalidChallenge("a challenge is 32 hexadecimal digits")
    return bytes.fromhex(text)


def uam_key(challenge: str, uamsecret: str) -> bytes:
    """What both sides mix the secret with. Raises `InvalidChallenge`, and ValueError for an empty `uamsecret`.

    Without a uamsecret the challenge itself would be the key, which passes through the air in clear.
    """
    if not uamsecret:
        raise ValueError("a uamsecret is needed: without one the challenge alone hides nothing")
    return _md5(uam_challenge(challenge) + uamsecret.encode())


def uam_pap(secret: str, *, challenge: str, uamsecret: str) -> str:
    """The secret for `password=`: the key repeats, so that a secret of any length goes through."""
    key = uam_key(challenge, uamsecret)
    return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(secret.encode())).hex()


def uam_chap(secret: str, *, challenge: str, uamsecret: str) -> str:
    """The answer for `response=`: CHAP with the identifier 0 (RFC 1994 section 4.1)."""
    return _md5(b"\x00" + secret.encode() + uam_key(challenge, uamsecret)).hex()


def mikrotik_bytes(text: str) -> bytes:
    r"""What `chap-id` and `chap-challenge` stand for: RouterOS writes bytes as ``\ooo``, meant for a script's string.

    Raises `InvalidChallenge` for anything but printable ASCII, octal escapes up to ``\377``, and no stray backslash.
    """
    raw = text.encode("ascii", "replace")
    if not text.isascii() or not text.isprintable() or not raw or b"\\" in _OCTAL.sub(b"", raw):
        raise InvalidChallenge("a challenge is printable ASCII with octal escapes of three digits")
    found = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), raw)
    if len(found) > LONGEST_CHALLENGE:
        raise InvalidChallenge(f"a challenge is at most {LONGEST_CHALLENGE} bytes")
    return found


def mikrotik_chap(secret: str, *, ident: str, challenge: str) -> str:
    """The answer for `password=` where the HotSpot profile says http-chap. Raises `InvalidChallenge`."""
    return _md5(mikrotik_bytes(ident) + secret.encode() + mikrotik_bytes(challenge)).hex()


def _md5(text: bytes) -> bytes:
    # The protocol's own digest; nothing of ours rests on it.
    return hashlib.md5(text, usedforsecurity=False).digest()
