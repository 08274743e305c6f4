"""Slugs for what has a name: of campaigns, of advertisers, of messages and of copies."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ads.models import Advertiser, Campaign

LONGEST = 64
# Room for the number of a copy, and of its messages.
_LONGEST_STEM = 50


def for_campaign(db: Session, name: str) -> str:
    """A slug that no campaign has, made of a name: "pain-de-noel", else "pain-de-noel-2" and so on."""
    stem = _stem(name, "campaign")
    return _free(stem, db.scalars(select(Campaign.slug).where(Campaign.slug.startswith(stem))))


def for_advertiser(db: Session, name: str) -> str:
    """The same for an advertiser."""
    stem = _stem(name, "advertiser")
    return _free(stem, db.scalars(select(Advertiser.slug).where(Advertiser.slug.startswith(stem))))


def for_message(campaign: str, taken: Collection[str]) -> str:
    """The slug of a campaign's next message: the first number that is not among `taken`."""
    return next(one for number in itertools.count(1) if (one := f"{campaign}-{number}") not in taken)


def of_copy(slug: str, former: str, new: str) -> str:
    """The name of a creative's copy: made of the new campaign's name, and no longer than a name may be."""
    end = slug.removeprefix(former).strip("-") or slug
    return f"{new}-{end}"[:LONGEST].strip("-")


def _stem(name: str, otherwise: str) -> str:
    """The letters and digits of a name."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_STEM].strip("-") or otherwise


def _free(stem: str, taken: Iterable[str]) -> str:
    names = set(taken)
    numbered = (f"{stem}-{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([stem], numbered) if one not in names)
