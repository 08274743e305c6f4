"""MS-CHAPv2 as a gateway does it (RFC 2759), for a password in clear."""

from __future__ import annotations

import hashlib
import os
import struct

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes


def response(user: str, password: str) -> tuple[bytes, bytes]:
    """MS-CHAP-Challenge and MS-CHAP2-Response (RFC 2548 section 2.3.2)."""
    challenge, peer = os.urandom(16), os.urandom(16)
    hashed = hashlib.sha1(peer + challenge + user.encode()).digest()[:8]
    key = md4(password.encode("utf-16-le")) + bytes(5)
    answer = b"".join(_des(key[place : place + 7], hashed) for place in (0, 7, 14))
    return challenge, b"\x00\x00" + peer + bytes(8) + answer


def _des(key: bytes, block: bytes) -> bytes:
    """One block by DES; of each byte of the key the eighth bit is parity."""
    bits = int.from_bytes(key, "big")
    spread = bytes(((bits >> (49 - 7 * place)) & 0x7F) << 1 for place in range(8))
    # The same key three times is plain DES.
    encryptor = Cipher(TripleDES(spread * 3), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def md4(text: bytes) -> bytes:
    """RFC 1320: OpenSSL has it no more."""
    state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476]
    padded = text + b"\x80" + bytes((55 - len(text)) % 64) + struct.pack("<Q", 8 * len(text))
    rounds = (
        (lambda x, y, z: (x & y) | (~x & z), 0, range(16), (3, 7, 11, 19)),
        (
            lambda x, y, z: (x & y) | (x & z) | (y & z),
            0x5A827999,
            [4 * (place % 4) + place // 4 for place in range(16)],
            (3, 5, 9, 13),
        ),
        (
            lambda x, y, z: x ^ y ^ z,
            0x6ED9EBA1,
            (0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15),
            (3, 9, 11, 15),
        ),
    )
    for place in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[place : place + 64])
        a, b, c, d = state
        for mix, constant, order, shifts in rounds:
            for step, index in enumerate(order):
                total = (a + mix(b, c, d) + words[index] + constant) & 0xFFFFFFFF
                shift = shifts[step % 4]
                a, b, c, d = d, ((total << shift) | (total >> (32 - shift))) & 0xFFFFFFFF, b, c
        state = [(one + other) & 0xFFFFFFFF for one, other in zip(state, (a, b, c, d), strict=True)]
    return struct.pack("<4I", *state)
