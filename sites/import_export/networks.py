"""Networks as records. Texts are one column for each language: ``terms_fr``, ``terms_en``, ``title_fr``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.registry import kinds
from gateways.sentences import Sentence
from sites import look as looks
from sites.errors import ImportFault
from sites.gateway_limits import guessing_fault
from sites.import_export import cells
from sites.import_export.records import Change, Column, Records, Values
from sites.limits import may_serve
from sites.models import Gateway, Network, NetworkKind, SigninMethod, Site

DAY_SECONDS = 24 * 3600
MOST_KBPS = 100_000_000
TERMS_LENGTH = 20_000
SHORTEST_LEASE, LONGEST_LEASE = 60, 30 * DAY_SECONDS
LONGEST_WAIT = 60
# The lengths that a site may have of its own.
LENGTHS = ("lease_seconds", "viewing_seconds", "longest_wait_seconds")
_TERMS = re.compile(r"terms_[a-z]{2}")
# What of the look stands in a column of its own, by its name in the look; the rest is a column for each language.
_LOOK = {
    "accent": "accent",
    "accent_dark": "accent_dark",
    "public_contact": "contact",
    "onward_url": "onward",
}
_LOOK_TEXT = re.compile(r"(title|welcome|links)_([a-z]{2})")

COLUMNS = {
    "slug": Column(cells.slug),
    "name": Column(cells.line_of_text(120, needed=True)),
    "ssid": Column(cells.line_of_text(32, needed=True)),
    "kind": Column(cells.word(NetworkKind)),
    "signin_methods": Column(cells.words(SigninMethod)),
    "lease_seconds": Column(cells.whole(SHORTEST_LEASE, LONGEST_LEASE)),
    "renewal_seconds": Column(cells.whole(0, DAY_SECONDS), 300),
    "idle_seconds": Column(cells.whole(0, DAY_SECONDS), 1800),
    "viewing_seconds": Column(cells.whole(0, LONGEST_WAIT), 5),
    "longest_wait_seconds": Column(cells.whole(0, LONGEST_WAIT), 15),
    "ads": Column(cells.yes_or_no, False),
    "rate_wanted_kbps": Column(cells.whole(0, MOST_KBPS), 0),
    "rate_down_kbps": Column(cells.whole(0, MOST_KBPS), 0),
    "rate_up_kbps": Column(cells.whole(0, MOST_KBPS), 0),
    "devices_per_person": Column(cells.whole(1, 1000), 1),
    "accent": Column(partial(looks.read_accent, name="accent"), ""),
    "accent_dark": Column(partial(looks.read_accent, name="accent_dark"), ""),
    "public_contact": Column(looks.read_contact, ""),
    "onward_url": Column(looks.read_onward, ""),
    "terms_version": Column(cells.line_of_text(32, needed=True)),
}
# A language without terms is a language that the network does not speak.
_TERMS_COLUMN = Column(cells.lines_of_text(TERMS_LENGTH), "")
_LOOK_COLUMNS = {
    "links": Column(looks.read_links, ""),
    **{name: Column(cells.line_of_text(length), "") for name, length in looks.TEXTS.items()},
}


def _column(name: str) -> Column | None:
    if text := _LOOK_TEXT.fullmatch(name):
        return _LOOK_COLUMNS[text[1]]
    return _TERMS_COLUMN if _TERMS.fullmatch(name) else COLUMNS.get(name)


def _names(current: Mapping[str, Values]) -> Sequence[str]:
    by_language = {
        name
        for values in current.values()
        for name in values
        if _LOOK_TEXT.fullmatch(name) or _TERMS.fullmatch(name)
    }
    return [*COLUMNS, *sorted(by_language)]


def _current(db: Session) -> dict[str, Values]:
    return {network.slug: _values(network) for network in db.scalars(select(Network))}


def _values(network: Network) -> Values:
    values: Values = {
        name: getattr(network, name) for name in COLUMNS if name not in ("signin_methods", *_LOOK)
    }
    methods = tuple(method for method in SigninMethod if network.allows(method))
    look = {column: str(network.look.get(name, "")) for column, name in _LOOK.items()}
    texts = {
        f"{name}_{language}": text
        for name in _LOOK_COLUMNS
        for language, text in network.look.get(name, {}).items()
    }
    terms = {f"terms_{language}": text for language, text in network.terms.items()}
    return values | look | texts | terms | {"signin_methods": methods}


def _judge(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    for change in changes:
        after = change.after
        if len(after["ssid"].encode()) > 32:
            yield ImportFault(change.where, "ssid", Sentence("is more than 32 bytes in UTF-8"))
        if after["ads"] and SigninMethod.FREE not in after["signin_methods"]:
            yield ImportFault(
                change.where, "ads", Sentence("ads earn free access, and signin_methods has no free")
            )
        if after["renewal_seconds"] >= after["lease_seconds"]:
            yield ImportFault(change.where, "renewal_seconds", Sentence("is not shorter than lease_seconds"))
        if after["viewing_seconds"] > after["longest_wait_seconds"]:
            yield ImportFault(
                change.where, "longest_wait_seconds", Sentence("is shorter than viewing_seconds")
            )
        yield from _unfit_at_sites(db, change)
        yield from _unfit_at_gateways(db, change)
        terms = _terms(after)
        if not terms:
            yield ImportFault(change.where, "terms_fr", Sentence("there are no terms in any language"))
        if change.before is None:
            continue
        if terms != _terms(change.before) and after["terms_version"] == change.before["terms_version"]:
            yield ImportFault(
                change.where, "terms_version", Sentence("the terms changed, and their version did not")
            )
        if after["kind"] is not change.before["kind"]:
            yield from _misplaced(db, change)


def _unfit_at_sites(db: Session, change: Change) -> Iterator[ImportFault]:
    """The lengths that sites have of their own go with the network's others."""
    sites = db.scalars(select(Site).where(Site.networks.any(slug=change.key)).order_by(Site.slug))
    for site in sites:
        own = {name: getattr(site, name) for name in LENGTHS}
        for name, reason in unfit_lengths(own, change.after):
            yield ImportFault(
                change.where,
                name,
                Sentence("at %(site)s, %(reason)s", site=site.slug, reason=reason),
            )


def _unfit_at_gateways(db: Session, change: Change) -> Iterator[ImportFault]:
    """The network's gateways can tell safely who signs in by its methods."""
    there = select(Gateway).join(Gateway.network).where(Network.slug == change.key).order_by(Gateway.identity)
    for gateway in db.scalars(there):
        kind = kinds().get(gateway.kind)
        if kind and (fault := guessing_fault(kind, gateway.options, change.after["signin_methods"])):
            yield ImportFault(
                change.where,
                "signin_methods",
                Sentence(
                    "at gateway %(gateway)s, %(fault)s",
                    gateway=gateway.identity,
                    fault=fault,
                ),
            )


def unfit_lengths(own: Mapping[str, int | None], network: dict[str, Any]) -> Iterator[tuple[str, Sentence]]:
    """What is wrong with the lengths of a site on a network: the column, and why. `own` has those it has itself."""
    if all(own[name] is None for name in LENGTHS):
        return
    here: dict[str, int] = network | {name: length for name, length in own.items() if length is not None}
    if network["renewal_seconds"] >= here["lease_seconds"]:
        yield (
            "lease_seconds",
            Sentence(
                "%(length)s is not longer than renewal_seconds of the network",
                length=here["lease_seconds"],
            ),
        )
    least, most = here["viewing_seconds"], here["longest_wait_seconds"]
    if least > most and own["viewing_seconds"] is not None:
        yield (
            "viewing_seconds",
            Sentence("%(least)s is longer than longest_wait_seconds, %(most)s", least=least, most=most),
        )
    elif least > most:
        yield (
            "longest_wait_seconds",
            Sentence("%(most)s is shorter than viewing_seconds, %(least)s", most=most, least=least),
        )


def _misplaced(db: Session, change: Change) -> Iterator[ImportFault]:
    sites = db.scalars(select(Site).where(Site.networks.any(slug=change.key)).order_by(Site.slug))
    wrong = [site.slug for site in sites if not may_serve(change.after["kind"], site.kind)]
    if wrong:
        yield ImportFault(
            change.where,
            "kind",
            Sentence("%(sites)s offers it and is no library", sites=", ".join(wrong[:5])),
        )


def _write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
    known = {network.slug: network for network in db.scalars(select(Network))}
    for change in changes:
        network = known.get(change.key) or Network(look={})
        put_values(network, change.after)
        db.add(network)
    return {}


def put_values(network: Network, values: Values) -> None:
    """Give a network these values."""
    for name in COLUMNS:
        if name not in ("signin_methods", *_LOOK):
            setattr(network, name, values[name])
    network.signin_methods = [method.value for method in values["signin_methods"]]
    network.look = _look(network.look, values)
    network.terms = _terms(values)


def _look(before: Mapping[str, Any], values: Values) -> dict[str, Any]:
    """The look that these values make, with what of it no column holds as it was."""
    kept = {name: value for name, value in before.items() if name not in {*_LOOK.values(), *_LOOK_COLUMNS}}
    single = {name: values[column] for column, name in _LOOK.items() if values[column]}
    texts: dict[str, dict[str, str]] = {}
    for column, text in sorted(values.items()):
        if text and (match := _LOOK_TEXT.fullmatch(column)):
            texts.setdefault(match[1], {})[match[2]] = text
    return kept | single | texts


def _terms(values: Values) -> dict[str, str]:
    return {
        name[6:]: text for name, text in sorted(values.items()) if _TERMS.fullmatch(name) and text.strip()
    }


NETWORKS = Records("networks", "slug", _column, _names, _current, _judge, _write)
