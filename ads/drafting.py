"""A campaign as it is typed into a form: read field by field, with all that is wrong with it at once.

Names of fields: those of `Campaign`, "starts" and "ends" for the days of its term, "price" in euros; "message" once
for each message, and for the message K and the language L "title-K-L", "text-K-L" and "more-K". K is the slug of a
creative that is there, else a word with a dot in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import campaigns, rules, slugs
from ads.errors import FieldFault, UnfitField
from ads.loading import known_names
from ads.models import Advertiser, Campaign, Creative, CreativeKind
from auth.audit.actor import Actor
from auth.denials import Denial
from sessions.instants import read_day
from sites import opening_hours

Typed = Mapping[str, Sequence[str]]
# The most signs that a field takes.
LONGEST = {
    "name": 120,
    "payer": 120,
    "identity": 200,
    "contact": 200,
    "conditions": 400,
    "hours": 300,
    "title": 80,
    "text": 400,
    "more": 120,
}
MOST_MESSAGES = 12
_KEY = re.compile(r"[a-z0-9.-]{1,64}")
_LARGEST = 2**31


class UnfitDraft(Exception):
    """The form has faults, all of them in `faults`; nothing was saved."""

    def __init__(self, faults: Sequence[Denial]) -> None:
        super().__init__(", ".join(type(fault).__name__ for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class TypedMessage:
    """One message. `key` is the slug of the creative that it changes, or has a dot in it."""

    key: str
    texts: dict[str, dict[str, str]]
    more: str


@dataclass(slots=True)
class CampaignReading:
    """What the form says: the columns of the campaign, who pays, its messages, and what is wrong with it.

    `payer` is a row that is there, or a new one that no session knows. `near` is what forbids approving it now.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    payer: Advertiser | None = None
    messages: list[TypedMessage] = field(default_factory=list)
    faults: list[Denial] = field(default_factory=list)
    near: Denial | None = None


def read(
    db: Session,
    typed: Typed,
    *,
    zone: ZoneInfo,
    languages: Collection[str],
    networks: frozenset[str],
    now: datetime,
) -> CampaignReading:
    """Read the form of somebody who works for these networks (none named: all). Nothing is saved."""
    known = known_names(db) | {"languages": frozenset(languages)}
    form = _Form(typed, zone, known, networks)
    found = CampaignReading(fields=form.campaign(), payer=_payer(db, form), messages=form.messages(languages))
    if found.payer is not None and "category" in found.fields:
        campaign, quiet = unsaved(found), campaigns.quiet_periods(db, zone)
        found.faults = [*form.faults, *rules.violations(campaign)]
        found.near = rules.election_near(campaign, quiet, now=now)
    else:
        found.faults = form.faults
    return found


def unsaved(reading: CampaignReading) -> Campaign:
    """The campaign that was read, known to no session."""
    campaign = Campaign(slug="", **reading.fields)
    if reading.payer is not None:
        campaign.advertiser = reading.payer
    return campaign


def first_message(reading: CampaignReading) -> Creative | None:
    """The first message that was read, known to no session; None where there is none, or nobody who speaks."""
    if not reading.messages or reading.payer is None:
        return None
    creative = _new_creative(reading.messages[0], "")
    creative.campaign = unsaved(reading)
    return creative


def save_new(db: Session, reading: CampaignReading, *, actor: Actor, now: datetime) -> Campaign:
    """Save what was read as a draft, with its advertiser. Raises `UnfitDraft`."""
    payer = _demand(db, reading, actor=actor, now=now)
    slug = slugs.for_campaign(db, reading.fields["name"])
    creatives = [_new_creative(one, f"{slug}-{number}") for number, one in enumerate(reading.messages, 1)]
    return campaigns.draft(db, slug, payer, creatives, actor=actor, now=now, **reading.fields)


def save(
    db: Session, slug: str, reading: CampaignReading, *, revision: int, actor: Actor, now: datetime
) -> Campaign:
    """Change a draft to what was read. Raises `UnfitDraft`, and what `campaigns.redraft` raises."""
    payer = _demand(db, reading, actor=actor, now=now)
    there = {one.slug: one for one in campaigns.by_slug(db, slug).creatives}
    creatives: list[Creative] = []
    for typed in reading.messages:
        if (row := there.get(typed.key)) is None:
            row = _new_creative(typed, slugs.for_message(slug, [*there, *(one.slug for one in creatives)]))
        else:
            # What a picture or a video says beside (alternative, transcript) stays.
            row.texts = {code: row.texts.get(code, {}) | words for code, words in typed.texts.items()}
            row.more = typed.more
        creatives.append(row)
    return campaigns.redraft(
        db, slug, payer, creatives, revision=revision, actor=actor, now=now, **reading.fields
    )


def _demand(db: Session, reading: CampaignReading, *, actor: Actor, now: datetime) -> Advertiser:
    """Who pays, written down now where they were not yet."""
    payer = reading.payer
    if reading.faults or payer is None:
        raise UnfitDraft(reading.faults)
    if payer.id is not None:
        return payer
    values = {name: getattr(payer, name) for name in ("name", "identity", "contact", "is_town")}
    slug = slugs.for_advertiser(db, payer.name)
    return campaigns.add_advertiser(db, slug, actor=actor, now=now, **values)


def _payer(db: Session, form: _Form) -> Advertiser | None:
    if slug := form.text("advertiser"):
        found = db.scalars(select(Advertiser).where(Advertiser.slug == slug)).first()
        if found is None:
            form.fault("advertiser", FieldFault.UNKNOWN)
        return found
    name = form.words("payer")
    if not name:
        form.fault("payer", FieldFault.MISSING)
        return None
    return Advertiser(
        name=name,
        identity=form.words("identity"),
        contact=form.words("contact"),
        is_town=form.text("municipal") == "yes",
    )


def _new_creative(typed: TypedMessage, slug: str) -> Creative:
    return Creative(slug=slug, kind=CreativeKind.TEXT, texts=typed.texts, more=typed.more, media={})


@dataclass(slots=True)
class _Form:
    """Reads one field after the other, and collects what is wrong with each."""

    typed: Typed
    zone: ZoneInfo
    known: Mapping[str, frozenset[str]]
    own: frozenset[str]
    faults: list[Denial] = field(default_factory=list)

    def fault(self, name: str, fault: FieldFault) -> None:
        self.faults.append(UnfitField(name, fault))

    def text(self, name: str) -> str:
        return next(iter(self.typed.get(name, ())), "").strip()

    def words(self, name: str, *, kind: str = "") -> str:
        """A text, bounded by what its column takes."""
        found = self.text(name)
        if len(found) > LONGEST[kind or name]:
            self.fault(name, FieldFault.LONG)
        return found

    def campaign(self) -> dict[str, Any]:
        found = {
            "name": self.words("name"),
            "conditions": self.words("conditions"),
            "hours": self._hours(),
            "networks": self._networks(),
            "sites": self._chosen("sites"),
            "site_kinds": self._chosen("site_kinds"),
            "languages": self._chosen("languages"),
            "weight": self._number("weight") or 1,
            "price_cents": self._cents("price"),
            **{name: self._number(name) for name in ("goal", "daily_cap", "total_cap")},
            **self._term(),
        }
        if not found["name"]:
            self.fault("name", FieldFault.MISSING)
        try:
            found["category"] = rules.category_of(self.text("category"))
        except ValueError:
            self.fault("category", FieldFault.UNKNOWN if self.text("category") else FieldFault.MISSING)
        except Denial as denial:
            self.faults.append(denial)
        return found

    def messages(self, languages: Collection[str]) -> list[TypedMessage]:
        """Those with any text. Each has a title and a text in at least one language."""
        keys = [key for key in self.typed.get("message", ()) if _KEY.fullmatch(key)][:MOST_MESSAGES]
        read = [self._message(key, languages) for key in dict.fromkeys(keys)]
        return [one for one in read if one.texts]

    def _message(self, key: str, languages: Collection[str]) -> TypedMessage:
        texts = {}
        for code in languages:
            said = {part: self.words(f"{part}-{key}-{code}", kind=part) for part in ("title", "text")}
            if any(said.values()):
                texts[code] = said
                for part in (part for part, words in said.items() if not words):
                    self.fault(f"{part}-{key}-{code}", FieldFault.MISSING)
        return TypedMessage(key, texts, self.words(f"more-{key}", kind="more"))

    def _term(self) -> dict[str, datetime | None]:
        """The last day belongs to the term."""
        first, last = self._day("starts"), self._day("ends")
        if first and last and last < first:
            self.fault("ends", FieldFault.ORDER)
        after = last + timedelta(days=1) if last else None
        return {
            "starts_at": rules.midnight(first, self.zone) if first else None,
            "ends_at": rules.midnight(after, self.zone) if after else None,
        }

    def _day(self, name: str) -> date | None:
        if not self.text(name):
            return None
        try:
            day = read_day(self.text(name))
        except ValueError:
            self.fault(name, FieldFault.DAY)
            return None
        if not 2000 <= day.year < 2200:
            self.fault(name, FieldFault.DAY)
            return None
        return day

    def _hours(self) -> str:
        text = self.words("hours") or "24/7"
        try:
            opening_hours.parse(text)
        except opening_hours.InvalidHours:
            self.fault("hours", FieldFault.HOURS)
        return text

    def _chosen(self, name: str) -> list[str]:
        return self._checked(name, self.known[name], FieldFault.UNKNOWN)

    def _networks(self) -> list[str]:
        chosen = self._checked("networks", self.own or self.known["networks"], FieldFault.REACH)
        if self.own and not chosen:
            self.fault("networks", FieldFault.REACH)
        return chosen

    def _checked(self, name: str, known: Collection[str], fault: FieldFault) -> list[str]:
        chosen = list(dict.fromkeys(self.typed.get(name, ())))
        if not set(chosen) <= set(known):
            self.fault(name, fault)
        return chosen

    def _number(self, name: str) -> int | None:
        """A whole number from 1 up, with or without spaces between its thousands."""
        return self._read(name, _whole, FieldFault.NUMBER, least=1)

    def _cents(self, name: str) -> int | None:
        return self._read(name, lambda text: _in_cents(text.removesuffix("€")), FieldFault.MONEY, least=0)

    def _read(self, name: str, reader: Callable[[str], int], fault: FieldFault, *, least: int) -> int | None:
        text = "".join(self.text(name).split())
        if not text:
            return None
        try:
            value = reader(text)
        except ValueError:
            self.fault(name, fault)
            return None
        if not least <= value < _LARGEST:
            self.fault(name, fault)
            return None
        return value


def _whole(text: str) -> int:
    """Raises `ValueError`."""
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _in_cents(text: str) -> int:
    """Euros with at most two places, "8.50" or "8,5". Raises `ValueError`."""
    if not re.fullmatch(r"\d{1,9}([.,]\d{1,2})?", text, re.ASCII):
        raise ValueError(text)
    return int(Decimal(text.replace(",", ".")) * 100)
