"""What the forms of an experiment hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus

from flask import abort

from auth.staff.roles import Action
from db.engine import reading
from portal.reports import numbers
from portal.services import services
from portal.staff.access import current_staff, ensure
from sessions.experiments.errors import UnreadableExperiment
from sessions.experiments.indicators import Measure
from sessions.experiments.models import Experiment
from sessions.experiments.service import Plan
from sessions.instants import read_day
from sites import queries

LARGEST = 1_000_000_000


def plan_of(words: Mapping[str, str]) -> Plan:
    """Raises `UnreadableExperiment`; a network that is not this person's is none (404)."""
    name, aim = " ".join(words.get("name", "").split())[:120], text_of(words, "aim")
    for field, text in (("name", name), ("aim", aim)):
        # Told in the order of the form, before days that cannot be read.
        if not text:
            raise UnreadableExperiment(field)
    first, last = day_of(words, "first"), day_of(words, "last")
    thresholds = {
        measure: number_of(words, f"at-{measure.value}")
        for measure in Measure
        if words.get(f"at-{measure.value}", "").strip()
    }
    return Plan(name, aim, first, last, _networks(words.get("network", "")[:64]), thresholds)


def cells_of(experiment: Experiment) -> dict[str, str]:
    """The same as the form shows it."""
    return {
        "name": experiment.name,
        "aim": experiment.aim,
        "first": str(experiment.first),
        "last": str(experiment.last),
        "network": experiment.networks[0] if len(experiment.networks) == 1 else "",
        **{f"at-{one.measure}": numbers.typed(one.threshold) for one in experiment.indicators},
    }


def number_of(words: Mapping[str, str], name: str) -> float:
    """A number with a comma or a point. Raises `UnreadableExperiment`."""
    text = "".join(words.get(name, "").split()).replace(",", ".")
    try:
        found = float(text)
    except ValueError as error:
        raise UnreadableExperiment(name) from error
    if not math.isfinite(found) or not 0 <= found <= LARGEST:
        raise UnreadableExperiment(name)
    return found


def day_of(words: Mapping[str, str], name: str) -> date:
    try:
        return read_day(words.get(name, ""))
    except (ValueError, OverflowError) as error:
        raise UnreadableExperiment(name) from error


def text_of(words: Mapping[str, str], name: str) -> str:
    return words.get(name, "").replace("\r\n", "\n").strip()[:4000]


def _networks(slug: str) -> frozenset[str]:
    if not slug:
        return current_staff().authority.networks
    with reading(services().make_session) as db:
        if queries.network_by_slug(db, slug) is None:
            abort(HTTPStatus.NOT_FOUND)
    ensure(Action.EXPERIMENT, slug)
    return frozenset({slug})
