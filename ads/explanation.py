"""Why a message was shown: what the choice was made from is kept, and the choice is made again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from ads.choice import Candidate, ImpressionContext, Options, Pace, eligible, options
from ads.models import ChoiceInputs, Creative, Impression

# What is in use is dated anew this often.
DATED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What choices are made from, as it is kept: two contents, each under its digest."""

    candidates: dict[str, Any]
    pace: dict[str, Any]
    candidates_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class ChoiceExplanation:
    """One choice, made again. `options` is empty where what it was made from is not kept (any more)."""

    impression: Impression
    moment: ImpressionContext
    options: Options | None
    names: dict[int, str]
    chosen: int | None

    @property
    def agrees(self) -> bool:
        """Whether the same came of it."""
        return self.options is not None and self.chosen == self.impression.creative_id


class UnknownImpression(Exception):
    """The ledger has no row with this nonce (any more)."""


def record(candidates: Sequence[Candidate], pace: Pace) -> Recorded:
    """What a choice from these is explained by."""
    listed = {"candidates": [_written(one) for one in candidates]}
    candidates_digest = _digest(listed)
    paced = {
        "candidates": candidates_digest,
        "shares": [list(one) for one in pace.shares],
        "spent": sorted(pace.spent),
    }
    return Recorded(listed, paced, candidates_digest, _digest(paced))


def keep(db: Session, recorded: Recorded, *, now: datetime) -> None:
    """Write it down where it is new, and date it."""
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    rows = [
        {"digest": recorded.candidates_digest, "written": recorded.candidates, "used_at": now},
        {"digest": recorded.digest, "written": recorded.pace, "used_at": now},
    ]
    statement = insert(ChoiceInputs).values(rows)
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[ChoiceInputs.digest], set_={"used_at": statement.excluded.used_at}
        )
    )


def explain(db: Session, nonce: str) -> ChoiceExplanation:
    """Make the choice behind this row of the ledger again. Raises `UnknownImpression`.

    The site's kind and zone are those that it has today.
    """
    row = db.scalars(
        select(Impression)
        .where(Impression.nonce == nonce)
        .options(joinedload(Impression.network), joinedload(Impression.site))
    ).first()
    if row is None:
        raise UnknownImpression(nonce)
    moment = ImpressionContext(
        network=row.network.slug,
        site=row.site.slug,
        language=row.language,
        now=row.shown_at,
        site_kind=row.site.kind.value,
        zone=row.site.zone,
        previous=row.previous_id,
    )
    paced = db.get(ChoiceInputs, row.choice_digest or "")
    listed = db.get(ChoiceInputs, paced.written["candidates"]) if paced else None
    if row.draw is None or paced is None or listed is None:
        return ChoiceExplanation(row, moment, None, {}, None)
    candidates = [_read(one) for one in listed.written["candidates"]]
    pace = Pace(
        tuple((int(number), float(share)) for number, share in paced.written["shares"]),
        frozenset(paced.written["spent"]),
    )
    found = options(eligible(candidates, moment), pace)
    ids = [one.creative_id for one in found.shares]
    names = {one.id: one.slug for one in db.scalars(select(Creative).where(Creative.id.in_(ids)))}
    return ChoiceExplanation(row, moment, found, names, found.pick(row.draw, previous=row.previous_id))


def _digest(content: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def _written(one: Candidate) -> list[Any]:
    sets = (one.networks, one.sites, one.site_kinds, one.languages, one.only_languages)
    return [
        *(
            one.creative_id,
            one.campaign_id,
            one.weight,
            _stamp(one.starts_at),
            _stamp(one.ends_at),
            one.hours,
        ),
        *(sorted(each) for each in sets),
        [[_stamp(since), _stamp(until)] for since, until in one.quiet],
    ]


def _read(written: Sequence[Any]) -> Candidate:
    creative_id, campaign_id, weight, starts, ends, hours, networks, sites, kinds, languages, only, quiet = (
        written
    )
    return Candidate(
        creative_id=creative_id,
        campaign_id=campaign_id,
        weight=weight,
        starts_at=_instant(starts),
        ends_at=_instant(ends),
        hours=hours,
        networks=frozenset(networks),
        sites=frozenset(sites),
        site_kinds=frozenset(kinds),
        languages=frozenset(languages),
        only_languages=frozenset(only),
        quiet=tuple((_sure(since), _sure(until)) for since, until in quiet),
    )


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _sure(text: str) -> datetime:
    return datetime.fromisoformat(text)
