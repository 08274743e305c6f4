"""Write an experiment down, change it before it begins, amend a threshold while it runs, note a review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.orm import Session, selectinload

from auth.audit import log
from auth.audit.actions import (
    EXPERIMENT_CHANGED,
    EXPERIMENT_WRITTEN,
    REVIEW_NOTED,
    THRESHOLD_AMENDED,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from auth.staff.roles import Authority
from sessions.experiments.errors import RunningExperiment, UnreadableExperiment
from sessions.experiments.indicators import Measure
from sessions.experiments.models import Amendment, Experiment, Indicator, Review
from sessions.statistics.periods import Period, UnreadablePeriod


@dataclass(frozen=True, slots=True)
class Plan:
    """What an experiment is to be: checked by `check_plan`."""

    name: str
    aim: str
    first: date
    last: date
    networks: frozenset[str]
    thresholds: Mapping[Measure, float]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: for the audit log, and the name that the page shows."""

    actor: Actor
    name: str


def check_plan(plan: Plan) -> None:
    """Raises `UnreadableExperiment` with the field that is missing or wrong."""
    if not plan.name:
        raise UnreadableExperiment("name")
    if not plan.aim:
        raise UnreadableExperiment("aim")
    try:
        Period(plan.first, plan.last)
    except UnreadablePeriod as error:
        raise UnreadableExperiment("last") from error
    if not plan.thresholds:
        raise UnreadableExperiment("indicators")


def write(db: Session, plan: Plan, *, writer: Writer, now: datetime) -> Experiment:
    """Write an experiment down. Raises `UnreadableExperiment`."""
    check_plan(plan)
    experiment = Experiment(
        name=plan.name,
        aim=plan.aim,
        first=plan.first,
        last=plan.last,
        networks=sorted(plan.networks),
        written_at=now,
        written_by=writer.name,
        indicators=[Indicator(measure=one.value, threshold=most) for one, most in plan.thresholds.items()],
    )
    db.add(experiment)
    db.flush()
    _append(db, EXPERIMENT_WRITTEN, experiment, _detail(plan), writer=writer, now=now)
    return experiment


def change(
    db: Session, experiment: Experiment, plan: Plan, *, today: date, writer: Writer, now: datetime
) -> None:
    """Change what was written, before it begins. Raises `UnreadableExperiment` and `RunningExperiment`."""
    check_plan(plan)
    if plan.first <= today:
        raise UnreadableExperiment("first")
    claimed = db.scalars(
        update(Experiment)
        .where(Experiment.id == experiment.id, Experiment.first > today)
        .values(
            name=plan.name, aim=plan.aim, first=plan.first, last=plan.last, networks=sorted(plan.networks)
        )
        .returning(Experiment.id)
        .execution_options(synchronize_session=False)
    ).first()
    if claimed is None:
        raise RunningExperiment
    db.execute(delete(Indicator).where(Indicator.experiment_id == experiment.id))
    rows = [
        {"experiment_id": experiment.id, "measure": one.value, "threshold": most}
        for one, most in plan.thresholds.items()
    ]
    db.execute(insert(Indicator), rows)
    db.expire_all()
    _append(db, EXPERIMENT_CHANGED, experiment, _detail(plan), writer=writer, now=now)


def amend(
    db: Session,
    experiment: Experiment,
    measure: str,
    threshold: float,
    *,
    reason: str,
    writer: Writer,
    now: datetime,
) -> None:
    """Have another threshold hold from now on; the one that was agreed stays written beside it.

    Raises `UnreadableExperiment` without a reason, for a measure that was not agreed, or for what holds already.
    """
    indicator = next((one for one in experiment.indicators if one.measure == measure), None)
    if not reason:
        raise UnreadableExperiment("reason")
    if indicator is None or threshold == experiment.threshold_of(indicator):
        raise UnreadableExperiment("threshold")
    before = experiment.threshold_of(indicator)
    db.add(
        Amendment(
            experiment_id=experiment.id,
            measure=measure,
            before=before,
            after=threshold,
            reason=reason,
            amended_at=now,
            amended_by=writer.name,
        )
    )
    db.flush()
    detail = {"measure": measure, "before": str(before), "after": str(threshold), "reason": reason}
    _append(db, THRESHOLD_AMENDED, experiment, detail, writer=writer, now=now)


def review(
    db: Session,
    experiment: Experiment,
    *,
    held_on: date,
    note: str,
    figures: Mapping[Measure, float | None],
    today: date,
    writer: Writer,
    now: datetime,
) -> None:
    """Note what was said on a day, with the figures as they stand now. Raises `UnreadableExperiment`."""
    if not experiment.first <= held_on <= today:
        raise UnreadableExperiment("held_on")
    if not note:
        raise UnreadableExperiment("note")
    db.add(
        Review(
            experiment_id=experiment.id,
            held_on=held_on,
            note=note,
            figures={measure.value: value for measure, value in figures.items()},
            written_at=now,
            written_by=writer.name,
        )
    )
    db.flush()
    _append(db, REVIEW_NOTED, experiment, {"day": str(held_on)}, writer=writer, now=now)


def everything(db: Session, authority: Authority) -> list[Experiment]:
    """The experiments that are this person's to see, the one that began last first."""
    found = db.scalars(_whole().order_by(Experiment.first.desc(), Experiment.id.desc()))
    return [one for one in found if is_theirs(one, authority)]


def begun(db: Session, *, today: date) -> list[Experiment]:
    """Those that run, and those that are over."""
    return list(db.scalars(_whole().where(Experiment.first <= today).order_by(Experiment.id)))


def find(db: Session, number: int, authority: Authority) -> Experiment | None:
    """The experiment with this number, where it is this person's to see."""
    experiment = db.scalars(_whole().where(Experiment.id == number)).first()
    return experiment if experiment is not None and is_theirs(experiment, authority) else None


def is_theirs(experiment: Experiment, authority: Authority) -> bool:
    """Staff of some networks see what is about those alone."""
    if not authority.networks:
        return True
    return bool(experiment.networks) and set(experiment.networks) <= authority.networks


def _whole() -> Select[Experiment]:
    return select(Experiment).options(
        selectinload(Experiment.indicators),
        selectinload(Experiment.amendments),
        selectinload(Experiment.reviews),
    )


def _detail(plan: Plan) -> dict[str, str]:
    thresholds = ", ".join(f"{one.value} {most:g}" for one, most in plan.thresholds.items())
    return {"name": plan.name, "from": str(plan.first), "to": str(plan.last), "thresholds": thresholds}


def _append(
    db: Session,
    action: AuditAction,
    experiment: Experiment,
    detail: Mapping[str, str],
    *,
    writer: Writer,
    now: datetime,
) -> None:
    only = experiment.networks[0] if len(experiment.networks) == 1 else writer.actor.only_network
    object = ObjectKind.EXPERIMENT.named(experiment.id)
    log.append(db, action, object, actor=writer.actor, network=only, detail=dict(detail), now=now)
