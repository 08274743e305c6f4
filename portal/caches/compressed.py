"""A page with holes, compressed once for a crowd: only what goes into the holes is written for each client.

The front takes a fifth of a millisecond to compress a page, a sixth of all that its answer costs. Pages of a crowd
differ in a few tokens. Where a token stands first, it is put in as it is (a stored block, RFC 1951 section 3.2.4);
where it stands again, the compressed text refers back to that place, whatever is there. So what was compressed for one
client serves all whose tokens are as long.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from functools import cache

# RFC 1952 section 2.3: deflate, no name, no time, no system.
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# As the front has it for all other pages.
LEVEL = 5
# With its head such a page fits into 6,000 octets. Of a larger one the front makes 300 less.
LARGEST = 5_080
# So many octets that a page does not have stand for each token in turn while the page is compressed.
STRANGE = 8
# Of more at once zlib lets other threads run, which then take turns for longer than the sum takes (zlibmodule.c).
AT_ONCE = 5 * 1024
# Text, and between it the names of holes.
Pieces = Sequence[bytes | str]


def compress(pieces: Pieces, lengths: Mapping[str, int]) -> Pieces | None:
    """The page's own text compressed, with the names of holes that tokens of these lengths fill, each once.

    None where that cannot be (too many holes, tokens that are too long, or one that could not be referred to) and where
    it would be too large.
    """
    standing = _standing(pieces, lengths)
    if standing is None:
        return None
    packer, made, ready = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS), list[bytes | str](), b""
    for piece in pieces:
        if isinstance(piece, bytes):
            ready += packer.compress(piece)
        elif piece in made:
            ready += packer.compress(standing[piece])
        else:
            made += (ready + packer.flush(zlib.Z_SYNC_FLUSH), piece)
            # The token itself takes the place of what this gives.
            packer.compress(standing[piece])
            packer.flush(zlib.Z_SYNC_FLUSH)
            ready = b""
    made.append(ready + packer.flush())
    return made if _is_sound(made, pieces, lengths) else None


def _is_sound(made: Pieces, pieces: Pieces, lengths: Mapping[str, int]) -> bool:
    """Whether it is small, and gives other tokens than stood in it. One that is very short, or begins the page, is not
    referred to where it comes again.
    """
    others = {name: b"." * length for name, length in lengths.items()}
    packed = _packed(made, others)
    return len(packed) <= LARGEST and zlib.decompress(packed, -zlib.MAX_WBITS) == joined(pieces, others)


def joined(pieces: Pieces, tokens: Mapping[str, bytes]) -> bytes:
    """The page with these tokens, as it will be read."""
    return b"".join([tokens[piece] if isinstance(piece, str) else piece for piece in pieces])


def fill(compressed: Pieces, tokens: Mapping[str, bytes], whole: bytes) -> bytes:
    """The page for one client, as gzip; `whole` is the same page `joined`."""
    return HEAD + _packed(compressed, tokens) + struct.pack("<II", checksum(whole), len(whole))


def checksum(octets: bytes) -> int:
    """CRC-32, by this thread alone."""
    result = 0
    for start in range(0, len(octets), AT_ONCE):
        result = zlib.crc32(octets[start : start + AT_ONCE], result)
    return result


def _packed(compressed: Pieces, tokens: Mapping[str, bytes]) -> bytes:
    stored = {
        name: b"\0" + struct.pack("<HH", len(token), len(token) ^ 0xFFFF) + token
        for name, token in tokens.items()
    }
    return joined(compressed, stored)


def _standing(pieces: Pieces, lengths: Mapping[str, int]) -> dict[str, bytes] | None:
    """What stands for each token: octets that are nowhere else, no three of them twice in this order.

    A reference is three octets at least. So none leads into a token but from the same token, at the same place.
    """
    there = set[int]().union(*(piece for piece in pieces if isinstance(piece, bytes)))
    strange = bytes(octet for octet in range(256) if octet not in there)
    names = [name for name in lengths if name in pieces]
    if len(names) * STRANGE > len(strange) or any(lengths[name] > len(_sequence()) for name in names):
        return None
    return {
        name: _sequence()[: lengths[name]].translate(strange[number * STRANGE :][:STRANGE].ljust(256))
        for number, name in enumerate(names)
    }


@cache
def _sequence() -> bytes:
    """Each three of the numbers below `STRANGE` once: the largest that makes a new three comes next (de Bruijn)."""
    made, seen = bytearray(2), set[bytes]()
    while True:
        for number in reversed(range(STRANGE)):
            three = bytes((*made[-2:], number))
            if three not in seen:
                seen.add(three)
                made.append(number)
                break
        else:
            return bytes(made)
