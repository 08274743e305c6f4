"""The experiment: agreed beforehand, amended in the open, and judged by the report's own figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from sessions.experiments import service
from sessions.experiments.errors import RunningExperiment, UnreadableExperiment
from sessions.experiments.indicators import Measure, Verdict, value_of, verdict, years_of
from sessions.experiments.models import Experiment
from sessions.experiments.service import Plan, Writer
from sessions.statistics.periods import Period
from sessions.statistics.report import Part, Report
from sessions.statistics.spans import Spans, Stretch
from sessions.statistics.suppression import Disclosure
from sessions.statistics.tally import Tally
from tests.actors import TESTER
from tests.town import build_town

NOW = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
TODAY = NOW.date()
PLAN = Plan(
    "Wifi pour tous",
    "Savoir à qui il sert.",
    date(2027, 1, 1),
    date(2029, 12, 31),
    frozenset(),
    {Measure.AVAILABILITY: 99.5, Measure.REFUSALS: 10.0},
)
INES = Writer(TESTER, "Ines")
ANYBODY = Authority(frozenset({Role.REPORT}), ALL_NETWORKS)


def make(db: Session, **fields: object) -> Experiment:
    if "first" in fields:
        fields = {"last": date(2027, 12, 31), **fields}
    number = service.write(db, replace(PLAN, **fields), writer=INES, now=NOW).id  # type: ignore[arg-type]
    return reread(db, number)


def reread(db: Session, number: int) -> Experiment:
    db.expire_all()
    found = service.find(db, number, ANYBODY)
    assert found is not None
    return found


def thresholds(experiment: Experiment) -> dict[str, float]:
    return {one.measure: experiment.threshold_of(one) for one in experiment.indicators}


def test_before_it_begins_everything_can_be_changed(db: Session) -> None:
    experiment = make(db)
    other = replace(PLAN, name="Wifi", thresholds={Measure.VISITS_A_DAY: 50.0})
    service.change(db, experiment, other, today=TODAY, writer=INES, now=NOW)
    experiment = reread(db, experiment.id)
    assert (experiment.name, thresholds(experiment)) == ("Wifi", {"visits_a_day": 50.0})


@pytest.mark.parametrize("begun", [0, 1, 400])
def test_once_it_runs_what_was_agreed_stays(db: Session, begun: int) -> None:
    experiment = make(db, first=TODAY - timedelta(days=begun))
    easier = replace(PLAN, thresholds={Measure.AVAILABILITY: 50.0})
    with pytest.raises(RunningExperiment):
        service.change(db, experiment, easier, today=TODAY, writer=INES, now=NOW)
    assert thresholds(reread(db, experiment.id)) == {"availability": 99.5, "refusals": 10.0}


def test_what_has_not_begun_is_not_moved_into_the_past(db: Session) -> None:
    experiment = make(db)
    with pytest.raises(UnreadableExperiment):
        service.change(db, experiment, replace(PLAN, first=TODAY), today=TODAY, writer=INES, now=NOW)


def amend(db: Session, experiment: Experiment, threshold: float, *, measure: str = "availability") -> None:
    reason = "Travaux de la rue Battant."
    service.amend(db, experiment, measure, threshold, reason=reason, writer=INES, now=NOW)


def test_an_amended_threshold_stands_beside_what_was_agreed(db: Session) -> None:
    experiment = make(db, first=TODAY)
    for threshold in (98.0, 97.5):
        amend(db, experiment, threshold)
        experiment = reread(db, experiment.id)
    assert [one.threshold for one in experiment.indicators] == [99.5, 10.0]
    assert thresholds(experiment)["availability"] == 97.5
    assert [(one.before, one.after, one.amended_by) for one in experiment.amendments] == [
        (99.5, 98.0, "Ines"),
        (98.0, 97.5, "Ines"),
    ]
    entry = db.query(AuditEntry).order_by(AuditEntry.number.desc()).first()
    assert entry is not None and (entry.action, entry.detail["after"]) == ("threshold amended", "97.5")


def test_an_amendment_needs_a_reason_another_threshold_and_an_indicator_that_was_agreed(db: Session) -> None:
    experiment = make(db, first=TODAY)
    with pytest.raises(UnreadableExperiment) as refused:
        service.amend(db, experiment, "availability", 98.0, reason="", writer=INES, now=NOW)
    assert refused.value.field == "reason"
    for measure, threshold in (("availability", 99.5), ("visits_a_day", 5.0)):
        with pytest.raises(UnreadableExperiment) as refused:
            amend(db, experiment, threshold, measure=measure)
        assert refused.value.field == "threshold"


def test_a_review_keeps_the_figures_as_they_stood(db: Session) -> None:
    experiment = make(db, first=TODAY - timedelta(days=9))
    figures = {Measure.AVAILABILITY: 99.1, Measure.REFUSALS: None}
    for day in (TODAY - timedelta(days=10), TODAY + timedelta(days=1)):
        with pytest.raises(UnreadableExperiment):
            review(db, experiment, day, figures)
    review(db, experiment, TODAY, figures)
    (one,) = reread(db, experiment.id).reviews
    assert (one.held_on, one.figures, one.written_by) == (
        TODAY,
        {"availability": 99.1, "refusals": None},
        "Ines",
    )


def review(db: Session, experiment: Experiment, day: date, figures: dict[Measure, float | None]) -> None:
    service.review(
        db, experiment, held_on=day, note="Bien.", figures=figures, today=TODAY, writer=INES, now=NOW
    )


@pytest.mark.parametrize("table", ["experiment_amendments", "experiment_reviews"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET experiment_id = 1", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_delete_them(db: Session, table: str, statement: str) -> None:
    experiment = make(db, first=TODAY)
    amend(db, experiment, 98.0)
    review(db, experiment, TODAY, {})
    with pytest.raises(DatabaseError, match="append-only"):
        db.execute(text(statement.format(table)))
    db.rollback()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"aim": ""}, "aim"),
        ({"last": date(2026, 12, 31)}, "last"),
        ({"last": date(2037, 1, 1)}, "last"),
        ({"thresholds": {}}, "indicators"),
    ],
)
def test_what_is_missing_is_named(db: Session, fields: dict[str, object], field: str) -> None:
    with pytest.raises(UnreadableExperiment) as refused:
        make(db, **fields)
    assert refused.value.field == field


def test_who_works_for_one_network_sees_what_is_about_it_alone(db: Session) -> None:
    build_town(db)
    mine, whole = make(db, networks=frozenset({"bibliotheques"})), make(db)
    librarian = Authority(frozenset({Role.REPORT}), frozenset({"bibliotheques"}))
    assert [one.id for one in service.everything(db, librarian)] == [mine.id]
    assert service.find(db, whole.id, librarian) is None


def make_report(**fields: object) -> Report:
    """Ten days of a month of thirty."""
    known = Period(date(2027, 1, 1), date(2027, 1, 10))
    before = Stretch(Period(date(2026, 12, 1), date(2026, 12, 10)), 10)
    now = Tally(
        sessions=100,
        visits=80,
        most_devices=20,
        expected_seconds=1_000_000,
        outage_seconds=4_010,
        bytes_down=25 * 10**9,
    )
    now.failures["wrong_credentials"] = 12
    for name, value in fields.items():
        setattr(now, name, value)
    return Report(
        period=Period(date(2027, 1, 1), date(2027, 1, 31)),
        spans=Spans(known, 10, before, before),
        whole=Part("", "", now=now, devices={date(2027, 1, 1): 60}),
        networks=[],
        definitions=[],
        digest="",
        last_made=known.last,
        zone="Europe/Paris",
        sites_in_service=1,
    )


def test_figures_are_those_of_the_report_and_by_the_days_that_have_them() -> None:
    values = {measure: value_of(measure, make_report()) for measure in Measure}
    assert values == {
        Measure.SESSIONS_A_DAY: 10.0,
        Measure.VISITS_A_DAY: 8.0,
        # A third of a month is no month.
        Measure.DEVICES_A_MONTH: None,
        Measure.VOLUME_A_DAY: 2.5,
        Measure.MEDIAN_RATE: None,
        Measure.RATE_REACHED: None,
        # Rounded down, as the report writes it.
        Measure.AVAILABILITY: 99.59,
        Measure.REFUSALS: 12.0,
        Measure.MESSAGES_A_DAY: 0.0,
    }


def test_what_the_report_does_not_show_is_not_known_here_either() -> None:
    report = make_report()
    report.whole.shown = Disclosure.SMALL
    assert {value_of(measure, report) for measure in Measure} == {None}
    assert {value_of(measure, make_report(sessions=0, failures={})) for measure in (Measure.REFUSALS,)} == {
        None
    }


@pytest.mark.parametrize(
    ("measure", "value", "found"),
    [
        (Measure.AVAILABILITY, 99.5, Verdict.REACHED),
        (Measure.AVAILABILITY, 99.49, Verdict.MISSED),
        (Measure.AVAILABILITY, None, Verdict.UNKNOWN),
        (Measure.REFUSALS, 99.5, Verdict.REACHED),
        (Measure.REFUSALS, 99.6, Verdict.MISSED),
        (Measure.REFUSALS, 3.0, Verdict.REACHED),
    ],
)
def test_a_threshold_that_is_met_exactly_is_reached(
    measure: Measure, value: float | None, found: Verdict
) -> None:
    assert verdict(measure, value, 99.5) is found


def test_three_years_are_three_and_the_last_may_be_short() -> None:
    years = [(one.number, one.period) for one in years_of(Period(date(2028, 2, 29), date(2030, 5, 1)))]
    assert years == [
        (1, Period(date(2028, 2, 29), date(2029, 2, 28))),
        (2, Period(date(2029, 3, 1), date(2030, 2, 28))),
        (3, Period(date(2030, 3, 1), date(2030, 5, 1))),
    ]
