"""Plans as records: the columns of a file and of a form, judged and written as those of networks and sites are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.denials import N_
from auth.vouchers.models import Plan, PlanKind
from gateways.sentences import Sentence
from sites.errors import ImportFault
from sites.import_export import cells
from sites.import_export.records import Change, Column, Records, Values
from sites.models import Network, Site

LONGEST_NAME = 40
LONGEST_SLUG = 40
# A year, and a little more.
MOST_MINUTES = 400 * 24 * 60
MOST_DEVICES = 50
MOST_KBPS = 10_000_000
NOT_THERE = {"networks": N_("there is no network %(slug)s"), "sites": N_("there is no site %(slug)s")}
COUNTED = (PlanKind.ROLLING_HOURS, PlanKind.FIXED_MINUTES)
_NAME = re.compile(r"name_([a-z]{2})")


def _slug(text: str) -> str:
    slug = cells.slug(text)
    if len(slug) > LONGEST_SLUG or slug.startswith("-"):
        raise ValueError(
            Sentence(
                "'%(slug)s' is not 1 to %(most)s of a-z, 0-9 and -",
                slug=slug,
                most=LONGEST_SLUG,
            )
        )
    return slug


COLUMNS = {
    "slug": Column(_slug),
    "kind": Column(cells.word(PlanKind)),
    "length_minutes": Column(cells.whole(0, MOST_MINUTES), 0),
    "grace_minutes": Column(cells.whole(0, 24 * 60), 0),
    "least_minutes": Column(cells.whole(0, 24 * 60), 0),
    "ends_at": Column(cells.instant, None),
    "devices": Column(cells.whole(1, MOST_DEVICES), 1),
    "rate_down_kbps": Column(cells.whole_or_none(0, MOST_KBPS), None),
    "rate_up_kbps": Column(cells.whole_or_none(0, MOST_KBPS), None),
    "networks": Column(cells.slugs, ()),
    "sites": Column(cells.slugs, ()),
    "is_offered": Column(cells.yes_or_no, True),
}
_NAME_COLUMN = Column(cells.line_of_text(LONGEST_NAME), "")


def _column(name: str) -> Column | None:
    return _NAME_COLUMN if _NAME.fullmatch(name) else COLUMNS.get(name)


def _names(current: Mapping[str, Values]) -> Sequence[str]:
    names = {name for values in current.values() for name in values if _NAME.fullmatch(name)}
    return [*COLUMNS, *sorted(names)]


def _current(db: Session) -> dict[str, Values]:
    return {plan.slug: _values(plan) for plan in db.scalars(select(Plan))}


def _values(plan: Plan) -> Values:
    values: Values = {name: getattr(plan, name) for name in COLUMNS}
    lists = {name: tuple(sorted(values[name])) for name in ("networks", "sites")}
    return values | lists | {f"name_{language}": text for language, text in plan.names.items()}


def names_of(values: Mapping[str, object]) -> dict[str, str]:
    """The names of a plan by language."""
    return {name[-2:]: str(text) for name, text in values.items() if _NAME.fullmatch(name) and text}


def _judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    known = {
        "networks": set(db.scalars(select(Network.slug))),
        "sites": set(db.scalars(select(Site.slug))),
    }
    for change in changes:
        after = change.after
        if not names_of(after):
            yield ImportFault(change.where, "name_fr", Sentence("has no name in any language"))
        if after["kind"] in COUNTED and not after["length_minutes"]:
            yield ImportFault(change.where, "length_minutes", Sentence("is needed where the time is counted"))
        for name, there in known.items():
            for slug in sorted(set(after[name]) - there):
                yield ImportFault(change.where, name, Sentence(NOT_THERE[name], slug=slug))


def _write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    plans = {plan.slug: plan for plan in db.scalars(select(Plan))}
    for change in changes:
        put_values(plans.get(change.key) or _new(db, change.key), change.after)
    return {}


def _new(db: Session, slug: str) -> Plan:
    plan = Plan(slug=slug)
    db.add(plan)
    return plan


def put_values(plan: Plan, values: Values) -> None:
    """Give a plan these values. Passes that are in use keep the end they have."""
    for name in COLUMNS:
        value = values[name]
        setattr(plan, name, list(value) if isinstance(value, tuple) else value)
    plan.names = names_of(values)


PLANS = Records("plans", "slug", _column, _names, _current, _judge, _write)
