"""Which creative is shown: by site, network, hour and language alone. Nothing is known of the person."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A creative of a running campaign, with what limits it and what it speaks."""

    creative_id: int
    weight: int
    starts_at: datetime | None
    ends_at: datetime | None
    networks: frozenset[str]
    sites: frozenset[str]
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class ImpressionContext:
    """Where and when somebody is about to be shown something, and in which language."""

    network: str
    site: str
    language: str
    now: datetime


def eligible(candidates: Sequence[Candidate], moment: ImpressionContext) -> list[Candidate]:
    """The candidates that may be shown here and now: those in this language, else those in any."""
    fitting = [candidate for candidate in candidates if _fits(candidate, moment)]
    return [candidate for candidate in fitting if moment.language in candidate.languages] or fitting


def choose(candidates: Sequence[Candidate], rng: random.Random) -> Candidate | None:
    """One of them by weight; None of none."""
    if not candidates:
        return None
    return rng.choices(candidates, weights=[candidate.weight for candidate in candidates])[0]


def _fits(candidate: Candidate, moment: ImpressionContext) -> bool:
    begun = candidate.starts_at is None or candidate.starts_at <= moment.now
    over = candidate.ends_at is not None and candidate.ends_at <= moment.now
    here = (not candidate.networks or moment.network in candidate.networks) and (
        not candidate.sites or moment.site in candidate.sites
    )
    return begun and not over and here
