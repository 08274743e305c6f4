"""What the gateways of a school cannot keep of its record, in words. The record holds all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy.orm import Session

from auth import classes
from gateways.registry import kind_of
from portal.i18n.translation import say
from sites.import_export.records import Values
from sites.import_export.schools import read_stops
from sites.schools.gateways import Unable, unable, unable_at


def of_line(db: Session, values: Values) -> list[str]:
    """Gateways that cannot switch the wifi off where it has hours, or keep tablets to the resolver."""
    found = unable(db, values["site"], wifi=values["wifi"], is_resolved=bool(values["resolver"]))
    return list(_in_words(found))


def of_site(db: Session, values: Values) -> list[str]:
    """The same of a place, as far as its school line is recorded."""
    return list(_in_words(unable_at(db, values["slug"])))


def of_class(db: Session, values: Values) -> list[str]:
    """Schools of a class at which no gateway lets its tablets in."""
    if values["retired"]:
        return []
    return unserved(classes.unserved_schools(db, values["network"], list(read_stops(values["stops"]))))


def unserved(schools: Iterable[str]) -> list[str]:
    """That a class which is on reaches nothing at these schools, in one sentence; none where there are none."""
    named = ", ".join(schools)
    return (
        [say("No gateway lets the tablets of this class in here: %(schools)s.", schools=named)]
        if named
        else []
    )


def _in_words(found: Iterable[Unable]) -> Iterator[str]:
    for one in found:
        named = {"gateway": one.gateway.identity, "kind": kind_of(one.gateway.kind).product}
        if not one.keeps_wifi:
            yield say(
                "Gateway %(gateway)s (%(kind)s) cannot switch its wifi off and on: its own controller has to keep "
                "these hours.",
                **named,
            )
        if not one.keeps_resolver:
            yield say(
                "Gateway %(gateway)s (%(kind)s) cannot keep tablets to one resolver: it lets no class in.",
                **named,
            )
