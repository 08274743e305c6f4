"""Which creative is shown: by place, hour and language alone."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from ads.choice import Candidate, ImpressionContext, choose, eligible
from tests.clock import NOON

HERE = ImpressionContext("wifilib", "battant", "fr", NOON)


def candidate(number: int = 1, **fields: Any) -> Candidate:
    values: dict[str, Any] = {
        "creative_id": number,
        "weight": 1,
        "starts_at": None,
        "ends_at": None,
        "networks": frozenset(),
        "sites": frozenset(),
        "languages": frozenset({"fr", "en"}),
    }
    return Candidate(**{**values, **fields})


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"networks": frozenset({"wifilib"}), "sites": frozenset({"battant"})}, True),
        ({"networks": frozenset({"other"})}, False),
        ({"sites": frozenset({"citadelle"})}, False),
        ({"starts_at": NOON}, True),
        ({"starts_at": NOON + timedelta(seconds=1)}, False),
        ({"ends_at": NOON}, False),
        ({"ends_at": NOON + timedelta(seconds=1)}, True),
    ],
)
def test_it_shows_only_what_fits_here_and_now(fields: dict[str, Any], fits: bool) -> None:
    assert bool(eligible([candidate(**fields)], HERE)) is fits


def test_a_message_in_another_language_is_for_whom_there_is_none_in_his_own() -> None:
    german, french = candidate(1, languages=frozenset({"de"})), candidate(2)
    assert eligible([german, french], HERE) == [french]
    assert eligible([german], HERE) == [german]


def test_it_chooses_by_weight() -> None:
    rng = random.Random(1)
    pool = [candidate(1, weight=3), candidate(2, weight=1)]
    counts = Counter(chosen.creative_id for _ in range(4000) if (chosen := choose(pool, rng)))
    assert 2.7 < counts[1] / counts[2] < 3.3


def test_of_nothing_it_chooses_nothing() -> None:
    assert choose([], random.Random(1)) is None
