"""A page that was compressed once is whole for everybody whose tokens go into it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from functools import partial
from random import Random
from string import ascii_letters

import pytest
from flask import Flask

from portal.caches import compressed
from portal.caches.pages import Filled, PageCache, Placeholder
from tests.portal.conftest import Phone
from tests.town import Town

VISIT, TICKET, CODE = Placeholder("visit"), Placeholder("ticket"), Placeholder("code")
LINE = '<form method="post" action="/pause"><input type="hidden" name="visit" value="{}">\n'
# Holes that come again, beside each other, at either end, and after the same words as another.
PAGE = (
    f"<!doctype html>{VISIT}{LINE.format(TICKET)}{LINE.format(VISIT) * 9}"
    f"{CODE}{VISIT}é…{LINE.format(TICKET)}{VISIT}{CODE}"
)


def tokens(seed: int, *, lengths: tuple[int, int, int]) -> dict[Placeholder, str]:
    """Tokens as ours are: they begin alike."""
    rng = Random(seed)
    return {
        hole: ("eyJ" + "".join(rng.choices(ascii_letters, k=length)))[:length]
        for hole, length in zip((VISIT, TICKET, CODE), lengths, strict=True)
    }


@pytest.mark.parametrize(
    "lengths",
    [(319, 373, 9), (30, 31, 3), (0, 4, 263), (258, 264, 257), (514, 514, 514), (1, 2, 1), (260, 9, 9)],
)
def test_each_reader_gets_a_whole_page_with_their_own_tokens(lengths: tuple[int, int, int]) -> None:
    cache = PageCache()
    for seed in range(20):
        own = tokens(seed, lengths=lengths)
        plain = cache.fill("key", lambda: PAGE, own)
        packed = cache.fill("key", lambda: PAGE, own, is_compressed=True)
        # The shortest are in no reference, nor is the end of one that is a little longer than a reference may be.
        assert (plain.is_compressed, packed.is_compressed) == (False, max(lengths) > 2 and 260 not in lengths)
        wanted = PAGE
        for hole, token in own.items():
            wanted = wanted.replace(str(hole), token)
        assert plain.octets == read(packed) == wanted.encode()


def read(page: Filled) -> bytes:
    return gzip.decompress(page.octets) if page.is_compressed else page.octets


def test_a_page_is_compressed_once_for_tokens_of_the_same_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, made = PageCache(), list[object]()
    compress = compressed.compress

    def counted(pieces: compressed.Pieces, lengths: Mapping[str, int]) -> compressed.Pieces | None:
        made.append(lengths)
        return compress(pieces, lengths)

    monkeypatch.setattr(compressed, "compress", counted)
    for seed in range(10):
        for lengths in ((300, 200, 9), (301, 200, 9)):
            cache.fill("key", lambda: PAGE, tokens(seed, lengths=lengths), is_compressed=True)
    assert made == [
        {"visit": 300, "ticket": 200, "code": 9},
        {"visit": 301, "ticket": 200, "code": 9},
    ]


def test_what_cannot_be_compressed_like_this_is_sent_as_it_is() -> None:
    own = tokens(1, lengths=(515, 4, 4))
    long = PageCache().fill("key", lambda: PAGE, own, is_compressed=True)
    assert (long.is_compressed, own[VISIT].encode() in long.octets) == (False, True)
    every = bytes(range(256)).decode("latin-1")
    full = PageCache().fill("key", lambda: "".join(map(chr, range(2000))), {}, is_compressed=True)
    assert full.is_compressed and every[:128].encode() in gzip.decompress(full.octets)


def test_a_page_that_would_be_too_large_is_left_to_the_front() -> None:
    letters = "".join(Random(1).choices(ascii_letters, k=8_000))
    for length, is_compressed in ((6_000, True), (8_000, False)):
        text = letters[:length]
        page = PageCache().fill("key", partial(str, text), {}, is_compressed=True)
        assert page.is_compressed is is_compressed and read(page) == text.encode()


def test_a_token_that_the_page_has_no_place_for_is_left_out() -> None:
    page = PageCache().fill("key", lambda: f"a{CODE}", tokens(1, lengths=(9, 9, 2)), is_compressed=True)
    assert gzip.decompress(page.octets) == b"aey"


def test_browsers_get_the_first_page_compressed_and_others_as_it_is(app: Flask, town: Town) -> None:
    first, second = Phone(app, town.station), Phone(app, town.station, "02:00:00:00:0b:01", "10.66.0.9")
    plain = first.land()
    assert "Content-Encoding" not in plain.headers
    second.headers["Accept-Encoding"] = "gzip, deflate, br"
    packed = second.land()
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert int(packed.headers["Content-Length"]) == len(packed.data) < 6_000
    own = re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+|\b[0-9A-Z]{4}\u2011[0-9A-Z]{4}\b")
    page = gzip.decompress(packed.data).decode()
    assert own.sub("OWN", page) == own.sub("OWN", plain.text)
    assert set(own.findall(page)).isdisjoint(own.findall(plain.text))
    second.headers["Accept-Encoding"] = "gzip;q=0, br"
    assert "Content-Encoding" not in second.land().headers
