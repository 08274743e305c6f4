"""Campaigns from a document: ``{"advertisers": […], "campaigns": [{…, "creatives": […]}, …]}``; see docs/campaigns.md.

What is there already stays as it is. A document with one fault is refused whole, with all its faults; so is one with a
campaign that the law forbids. Pictures and videos lie beside the document's file, and are made anew while it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import campaigns, rules
from ads.media import beside
from ads.media import store as media
from ads.models import Advertiser, Campaign, Creative, CreativeKind
from auth.audit.actor import Actor
from sites import opening_hours
from sites.models import Network, Site, SiteKind

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
ADDRESS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[\x21-\x7e]*)?", re.IGNORECASE)
LANGUAGE = re.compile(r"[a-z]{2,3}")


class UnreadableCampaigns(Exception):
    """The document has faults, all of them in `faults`; nothing of it was taken."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was made: the names of the advertisers and campaigns, and how many creatives."""

    advertisers: tuple[str, ...]
    campaigns: tuple[str, ...]
    creatives: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a document without a fault asks for: the fields of advertisers, and of campaigns with their creatives."""

    advertisers: Sequence[Mapping[str, Any]]
    campaigns: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]


@dataclass(slots=True)
class _Reader:
    """Reads one record after the other, and collects what is wrong with each."""

    zone: ZoneInfo
    known: Mapping[str, frozenset[str]]
    folder: Path | None
    faults: list[str] = field(default_factory=list)

    def read(self, record: Any, where: str, readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
        if not isinstance(record, Mapping):
            self.faults.append(f"{where}: this is no record")
            return {}
        for name in record.keys() - readers.keys() - {"creatives"}:
            self.faults.append(f"{where}: {name}: there is no such field")
        found = {}
        for name, reader in readers.items():
            if name in record:
                try:
                    found[name] = reader(record[name])
                except (ValueError, TypeError, opening_hours.InvalidHours) as error:
                    self.faults.append(f"{where}: {name}: {error}")
        return found

    def advertiser(self, record: Any, where: str) -> dict[str, Any]:
        readers = {
            "slug": _slug,
            "name": _text(120),
            "identity": _text(200),
            "contact": _text(200),
            "is_town": _truth,
        }
        return self._demanding(self.read(record, where, readers), where, "slug", "name")

    def campaign(self, record: Any, where: str) -> dict[str, Any]:
        readers: dict[str, Callable[[Any], Any]] = {
            "slug": _slug,
            "name": _text(120),
            "advertiser": _slug,
            "category": rules.category_of,
            "conditions": _text(400),
            "starts": lambda value: self._instant(value, days=0),
            "ends": lambda value: self._instant(value, days=1),
            "hours": _hours,
            "weight": _number(1),
            "networks": self._names("networks"),
            "sites": self._names("sites"),
            "site_kinds": self._names("site_kinds"),
            "languages": _languages,
            "goal": _number(1),
            "daily_cap": _number(1),
            "total_cap": _number(1),
            "price_cents": _number(0),
        }
        found = self._demanding(
            self.read(record, where, readers), where, "slug", "name", "advertiser", "category"
        )
        begins, ends = found.pop("starts", None), found.pop("ends", None)
        if begins and ends and begins >= ends:
            self.faults.append(f"{where}: ends: it ends before it starts")
        return found | {"starts_at": begins, "ends_at": ends}

    def creative(self, record: Any, where: str) -> dict[str, Any]:
        readers: dict[str, Callable[[Any], Any]] = {
            "slug": _slug,
            "kind": CreativeKind,
            "texts": _texts,
            "more": _more,
            "viewing_seconds": _seconds,
            "picture": lambda name: beside.read_picture(self.folder, name),
            "video": lambda name: beside.read_video(self.folder, name),
            "captions": lambda names: beside.read_captions(self.folder, names),
        }
        found = self._demanding(self.read(record, where, readers), where, "slug", "texts")
        if isinstance(record, Mapping):
            self.faults += [f"{where}: {fault}" for fault in beside.faults_of(record, found)]
        captions = found.pop("captions", {})
        if "video" in found:
            found["video"] = replace(found["video"], captions=captions)
        return found

    def _demanding(self, found: dict[str, Any], where: str, *names: str) -> dict[str, Any]:
        said = "".join(fault for fault in self.faults if fault.startswith(f"{where}: "))
        self.faults += [
            f"{where}: {name}: it is missing"
            for name in names
            if name not in found and f"{where}: {name}:" not in said
        ]
        return found

    def _instant(self, value: Any, *, days: int) -> datetime:
        """A day of the town, or an instant with its zone. The last day belongs to the term."""
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(value)):
            return rules.midnight(date.fromisoformat(value) + timedelta(days=days), self.zone)
        at = datetime.fromisoformat(str(value))
        if at.tzinfo is None:
            raise ValueError("an instant needs its zone, such as 2026-12-01T08:00+01:00; or give a day alone")
        return at

    def _names(self, noun: str) -> Callable[[Any], list[str]]:
        def read(value: Any) -> list[str]:
            names = _strings(value)
            unknown = sorted(set(names) - self.known[noun])
            if unknown:
                raise ValueError(f"not known here: {', '.join(unknown)}")
            return names

        return read


def read(
    document: Any, known: Mapping[str, frozenset[str]], *, zone: ZoneInfo, folder: Path | None = None
) -> Wanted:
    """What this document asks for, `known` being what `known_names` gives. `zone` is the town's.

    The files that creatives name lie in `folder`; making them anew takes seconds: not within a transaction. Those of
    campaigns that are there already are left alone. Raises `UnreadableCampaigns`.
    """
    if not isinstance(document, Mapping) or document.keys() - {"advertisers", "campaigns"}:
        raise UnreadableCampaigns(['the document is {"advertisers": [...], "campaigns": [...]}'])
    reader = _Reader(zone, known, folder)
    payers = [
        reader.advertiser(one, f"advertiser {_name(one, number)}")
        for number, one in enumerate(document.get("advertisers", []), 1)
    ]
    found = []
    for number, one in enumerate(document.get("campaigns", []), 1):
        where = f"campaign {_name(one, number)}"
        if _name(one, number) in known["campaigns"]:
            one = _without_files(one)
        messages = one.get("creatives", []) if isinstance(one, Mapping) else []
        creatives = [
            reader.creative(each, f"{where}, creative {_name(each, place)}")
            for place, each in enumerate(messages, 1)
        ]
        found.append((reader.campaign(one, where), creatives))
    if reader.faults:
        raise UnreadableCampaigns(reader.faults)
    return Wanted(payers, found)


def save(db: Session, wanted: Wanted, *, actor: Actor, now: datetime) -> Loaded:
    """Save the advertisers and campaigns that are not there yet, campaigns as drafts.

    Raises `UnreadableCampaigns`, and what `campaigns.draft` and `media.store` raise; the caller rolls back then.
    """
    payers = {one.slug: one for one in db.scalars(select(Advertiser))}
    new_payers = []
    for fields in wanted.advertisers:
        slug, values = _apart(fields, "slug")
        if slug["slug"] not in payers:
            payers[slug["slug"]] = campaigns.add_advertiser(db, **slug, actor=actor, now=now, **values)
            new_payers.append(slug["slug"])
    taken = set(db.scalars(select(Campaign.slug)))
    made, creatives = [], 0
    for fields, messages in wanted.campaigns:
        names, values = _apart(fields, "slug", "advertiser")
        slug, payer = names["slug"], names["advertiser"]
        if slug in taken:
            continue
        if payer not in payers:
            raise UnreadableCampaigns([f"campaign {slug}: advertiser: not known here: {payer}"])
        parts = [_apart(one, "picture", "video") for one in messages]
        rows = [Creative(**texts) for _, texts in parts]
        campaigns.draft(db, slug, payers[payer], rows, actor=actor, now=now, **values)
        for files, texts in parts:
            _show(db, texts["slug"], files, actor=actor, now=now)
        made.append(slug)
        creatives += len(rows)
    return Loaded(tuple(new_payers), tuple(made), creatives)


def _show(db: Session, slug: str, files: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    """Give a creative its picture or video; the words for them stand in its texts already."""
    if "picture" in files:
        media.set_picture(db, slug, files["picture"], alt={}, actor=actor, now=now)
    elif "video" in files:
        media.set_video(db, slug, files["video"], alt={}, transcripts={}, actor=actor, now=now)


def _apart(fields: Mapping[str, Any], *names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of these names, and the others."""
    return {k: v for k, v in fields.items() if k in names}, {
        k: v for k, v in fields.items() if k not in names
    }


def _without_files(campaign: Mapping[str, Any]) -> dict[str, Any]:
    files = ("picture", "video", "captions")
    messages = campaign.get("creatives", [])
    kept = [_apart(one, *files)[1] if isinstance(one, Mapping) else one for one in messages]
    return {**campaign, "creatives": kept}


def known_names(db: Session) -> dict[str, frozenset[str]]:
    return {
        "campaigns": frozenset(db.scalars(select(Campaign.slug))),
        "networks": frozenset(db.scalars(select(Network.slug))),
        "sites": frozenset(db.scalars(select(Site.slug))),
        "site_kinds": frozenset(kind.value for kind in SiteKind),
    }


def _name(record: Any, number: int) -> str:
    return str(record.get("slug") or number) if isinstance(record, Mapping) else str(number)


def _slug(value: Any) -> str:
    if not isinstance(value, str) or not SLUG.fullmatch(value):
        raise ValueError("a name is small letters, digits and hyphens, 64 at most")
    return value


def _text(most: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise ValueError(f"a text of {most} signs at most")
        return value.strip()

    return read


def _more(value: Any) -> str:
    """An address without its scheme: pages lead to it by https."""
    address = _text(120)(value)
    if address and not ADDRESS.fullmatch(address):
        raise ValueError("an address such as ville.fr/velo, without https:// and without spaces")
    return address


def _seconds(value: Any) -> int:
    seconds = _number(1)(value)
    if seconds > 60:
        raise ValueError("60 seconds at most; the place may allow less")
    return seconds


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _number(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
            raise ValueError(f"a whole number, {least} at least")
        return value

    return read


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("a list of names")
    return value


def _languages(value: Any) -> list[str]:
    if not all(LANGUAGE.fullmatch(one) for one in _strings(value)):
        raise ValueError('languages by their codes, such as ["fr", "en"]')
    return _strings(value)


def _hours(value: Any) -> str:
    opening_hours.parse(str(value))
    return _text(300)(value)


def _texts(value: Any) -> dict[str, dict[str, str]]:
    """Title and text in each language; a picture has its alternative beside them, a video its transcript."""
    if not isinstance(value, Mapping) or not value:
        raise ValueError('by language, such as {"fr": {"title": "…", "text": "…"}}')
    for code, words in value.items():
        if not LANGUAGE.fullmatch(code) or not isinstance(words, Mapping):
            raise ValueError(f"{code}: a title and a text")
        if not {"title", "text"} <= words.keys() <= {"title", "text", "alt", "transcript"}:
            raise ValueError(f"{code}: a title and a text, and no more than alt and transcript beside them")
        if not all(isinstance(one, str) and one.strip() for one in words.values()):
            raise ValueError(f"{code}: no text may be empty")
    return {code: dict(words) for code, words in value.items()}
