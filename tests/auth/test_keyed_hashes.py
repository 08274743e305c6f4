"""HMAC-SHA-256 by a key that is used again and again."""

from __future__ import annotations

import pytest

from auth.keyed_hashes import KeyedHash

# RFC 4231, test cases 2 and 6: a short key and one longer than a block.
CASES = [
    (
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
]


@pytest.mark.parametrize(("key", "message", "digest"), CASES)
def test_it_is_that_of_the_standard_however_often_it_is_asked(
    key: bytes, message: bytes, digest: str
) -> None:
    under = KeyedHash(key)
    assert [under.of(message).hex(), under.of(b"").hex() != digest, under.of(message).hex()] == [
        digest,
        True,
        digest,
    ]
