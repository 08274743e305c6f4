"""The figures of experiments: computed by the sweep when a day is there, so that the page has them ready."""

from __future__ import annotations

import logging
from datetime import date

from db.engine import reading
from portal.reports import making
from portal.reports.experiment import Measured
from portal.services import Services
from sessions.experiments import service as experiments
from sessions.experiments.indicators import years_of
from sessions.experiments.models import Experiment

log = logging.getLogger(__name__)


def measure(service: Services, found: Experiment, *, today: date) -> Measured | None:
    """Its figures as far as there are any; None before it begins. What was computed before is read."""
    networks = frozenset(found.networks)
    if today < found.first:
        return None
    years = [one for one in years_of(found.period) if one.period.first <= today]
    if found.period == years[0].period:
        years = []
    return Measured(
        making.load(service, found.period, networks),
        {one.number: making.load(service, one.period, networks) for one in years},
    )


def measure_begun(service: Services) -> None:
    """Compute the figures of every experiment that has begun, where a day is new since. One that fails stops none."""
    today = service.clock().astimezone(service.settings.zone).date()
    with reading(service.make_session) as db:
        begun = experiments.begun(db, today=today)
    for one in begun:
        try:
            measure(service, one, today=today)
        except Exception:
            log.exception("the figures of the experiment %s could not be computed", one.id)
