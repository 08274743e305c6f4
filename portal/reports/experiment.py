"""The page of an experiment, as a document: its aim, each indicator against its threshold, amendments and reviews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from portal.i18n.translation import language, say, say_number
from portal.reports import numbers
from portal.reports.document import Block, Document, Paragraph, Section, Table
from portal.reports.summary import so_far
from portal.services import Services, town_zone
from sessions.experiments.indicators import Measure, Verdict, value_of, verdict
from sessions.experiments.models import Experiment, Indicator
from sessions.statistics.report import Report


@dataclass(frozen=True, slots=True)
class Measured:
    """The report on the whole of an experiment, and those on its years that have begun, by their number."""

    whole: Report
    years: Mapping[int, Report]


def measure_in_words(measure: Measure) -> str:
    return {
        Measure.SESSIONS_A_DAY: say("Sessions a day"),
        Measure.VISITS_A_DAY: say("Visits a day"),
        Measure.DEVICES_A_MONTH: say("Unique devices, mean of the whole months"),
        Measure.VOLUME_A_DAY: say("Volume a day"),
        Measure.MEDIAN_RATE: say("Median rate reached"),
        Measure.RATE_REACHED: say("Sessions that reached the rate wanted"),
        Measure.AVAILABILITY: say("Availability"),
        Measure.REFUSALS: say("Refusals for a hundred sessions"),
        Measure.MESSAGES_A_DAY: say("Accepted messages a day"),
    }[measure]


def unit_of(measure: Measure) -> str:
    return {
        Measure.VOLUME_A_DAY: say("GB"),
        Measure.MEDIAN_RATE: "Mbit/s",
        Measure.RATE_REACHED: "%",
        Measure.AVAILABILITY: "%",
    }.get(measure, "")


def write_value(measure: Measure, value: float | None) -> str:
    """A figure with its unit; a dash where it is not known."""
    if value is None:
        return "–"
    text = numbers.decimal(value, 2 if measure is Measure.AVAILABILITY else 1)
    return f"{text}\u00a0{unit}" if (unit := unit_of(measure)) else text


def threshold_in_words(measure: Measure, threshold: float) -> str:
    text = write_value(measure, threshold)
    return (
        say("%(value)s at most", value=text) if measure.is_at_most else say("%(value)s or more", value=text)
    )


def verdict_in_words(found: Verdict, *, is_over: bool) -> str:
    return {
        (Verdict.REACHED, True): say("reached"),
        (Verdict.MISSED, True): say("not reached"),
        (Verdict.REACHED, False): say("reached so far"),
        (Verdict.MISSED, False): say("not reached so far"),
    }.get((found, is_over), say("not known"))


def state_in_words(experiment: Experiment, today: date) -> str:
    if today < experiment.first:
        return say("begins on %(day)s", day=numbers.day(experiment.first))
    if today <= experiment.last:
        return say("runs until %(day)s", day=numbers.day(experiment.last))
    return say("over since %(day)s", day=numbers.day(experiment.last))


def compose(
    service: Services, experiment: Experiment, measured: Measured | None, names: Sequence[str]
) -> Document:
    """The document, in the language of this request. `measured` is None before it begins; `names` its networks."""
    today = service.clock().astimezone(town_zone()).date()
    parts = [Section("aim", say("What it is to find out"), _aim(experiment))]
    parts.append(Section("indicators", say("Indicators"), [_indicators(experiment, measured)]))
    if experiment.amendments:
        parts.append(Section("amendments", say("Amended thresholds"), [_amendments(experiment)]))
    if experiment.reviews:
        parts.append(Section("reviews", say("Reviews"), _reviews(experiment)))
    span = f"{numbers.day(experiment.first)} – {numbers.day(experiment.last)}"
    return Document(
        language=language(),
        town=service.settings.town,
        title=experiment.name,
        when=f"{span} · {state_in_words(experiment, today)}",
        about=", ".join(names) or say("All networks"),
        made=say("Made on %(day)s.", day=numbers.day(today)),
        sections=parts,
        colophon=_colophon(measured),
        cover=False,
    )


def _aim(experiment: Experiment) -> list[Block]:
    written = experiment.written_at.astimezone(town_zone()).date()
    found: list[Block] = [Paragraph(text) for text in experiment.aim.splitlines() if text.strip()]
    late = (written - experiment.first).days
    if late <= 0:
        said = say(
            "Written down by %(name)s on %(day)s, before it began.",
            name=experiment.written_by,
            day=numbers.day(written),
        )
    else:
        said = say(
            "Written down by %(name)s on %(day)s, %(days)s after it had begun.",
            name=experiment.written_by,
            day=numbers.day(written),
            days=say_number("%(n)s day", "%(n)s days", late),
        )
    return [*found, Paragraph(said)]


def _indicators(experiment: Experiment, measured: Measured | None) -> Table:
    head, caption = [say("Indicator"), say("Agreed")], say("Each indicator against its threshold")
    years = dict(measured.years) if measured else {}
    if measured is not None:
        head += [say("Figure"), say("Result")]
        head += [_year_head(number, report) for number, report in years.items()]
        caption = " · ".join(filter(None, (caption, so_far(measured.whole))))
    rows = []
    for one in experiment.indicators:
        cells = [measure_in_words(one.kind), _agreed(experiment, one)]
        if measured is not None:
            value = value_of(one.kind, measured.whole)
            found = verdict(one.kind, value, experiment.threshold_of(one))
            cells += [
                write_value(one.kind, value),
                verdict_in_words(found, is_over=measured.whole.is_over),
                *(write_value(one.kind, value_of(one.kind, report)) for report in years.values()),
            ]
        rows.append(cells)
    return Table(caption, head, rows, texts=2)


def _agreed(experiment: Experiment, indicator: Indicator) -> str:
    now = experiment.threshold_of(indicator)
    text = threshold_in_words(indicator.kind, now)
    if now == indicator.threshold:
        return text
    return say(
        "%(now)s (agreed before: %(before)s)",
        now=text,
        before=threshold_in_words(indicator.kind, indicator.threshold),
    )


def _year_head(number: int, report: Report) -> str:
    """A year of the experiment; how much of it there is, where it is not over."""
    name = say("Year %(n)s", n=number)
    return f"{name} ({so_far(report)})" if so_far(report) else name


def _amendments(experiment: Experiment) -> Table:
    rows = [
        [
            measure_in_words(Measure(one.measure)),
            one.reason,
            one.amended_by,
            numbers.day(one.amended_at.astimezone(town_zone()).date()),
            write_value(Measure(one.measure), one.before),
            write_value(Measure(one.measure), one.after),
        ]
        for one in experiment.amendments
    ]
    head = [
        say("Indicator"),
        say("Reason"),
        say("Amended by"),
        say("Amended on"),
        say("Before"),
        say("After"),
    ]
    return Table(say("Thresholds amended while it ran"), head, rows, texts=4)


def _reviews(experiment: Experiment) -> list[Block]:
    blocks: list[Block] = []
    for one in experiment.reviews:
        figures = [
            say(
                "%(name)s: %(value)s",
                name=measure_in_words(Measure(name)),
                value=write_value(Measure(name), value),
            )
            for name, value in one.figures.items()
        ]
        title = say(
            "Review of %(day)s, noted by %(name)s.", day=numbers.day(one.held_on), name=one.written_by
        )
        blocks.append(Paragraph(title))
        blocks += [Paragraph(text) for text in one.note.splitlines() if text.strip()]
        blocks.append(Paragraph(say("The figures then: %(figures)s.", figures=" · ".join(figures))))
    return blocks


def _colophon(measured: Measured | None) -> list[str]:
    if measured is None:
        return []
    return [
        say("Definitions, version %(version)s", version=", ".join(measured.whole.versions)),
        say("Fingerprint of the figures (SHA-256): %(digest)s", digest=measured.whole.digest),
    ]
