"""How long the law has each class of data kept, and the least that it lets anybody set: terms by the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sessions.data_classes import DataClass
from sessions.retention.models import StartEvent, TermUnit


@dataclass(frozen=True, slots=True)
class Term:
    """A length by the calendar, as laws count it: a year is a year, leap day or not."""

    amount: int
    unit: TermUnit

    def before(self, now: datetime) -> datetime:
        """What happened before this instant is past its term. Of a day that its month lacks, the last one is taken."""
        if self.unit is TermUnit.DAYS:
            return now - timedelta(days=self.amount)
        months = self.amount * (12 if self.unit is TermUnit.YEARS else 1)
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        first = now.replace(year=year, month=month + 1, day=1)
        next_month = (first + timedelta(days=31)).replace(day=1)
        return first.replace(day=min(now.day, (next_month - timedelta(days=1)).day))

    def is_shorter_than(self, other: Term) -> bool:
        """Compared over a leap day, where a year is longest."""
        return self.before(_COMPARED_AT) > other.before(_COMPARED_AT)


_COMPARED_AT = datetime(2028, 3, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that a class is kept, and the text that says so. Without a term the law sets none."""

    term: Term | None
    source: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The retention period of one class, its legal basis, and the event from which it runs."""

    term: Term
    starts_at: StartEvent
    basis: str


# What French law says today (see docs/privacy.md for what the data protection officer is to confirm).
LAW: Mapping[DataClass, Kept] = {
    DataClass.CONNECTION: Kept(
        Term(1, TermUnit.YEARS),
        StartEvent.CONNECTION_END,
        "CPCE art. L34-1 II bis 3°, R10-13 IV ; décret n° 2021-1362, art. 5",
    ),
    DataClass.TRAFFIC: Kept(
        Term(1, TermUnit.YEARS),
        StartEvent.CONNECTION_END,
        "CPCE art. L34-1 III, R10-13 V ; injonction annuelle (décret n° 2025-980)",
    ),
    DataClass.ACCOUNT: Kept(
        Term(1, TermUnit.YEARS), StartEvent.ACCOUNT_END, "CPCE art. L34-1 II bis 2°, R10-13 II"
    ),
    DataClass.SECURITY: Kept(Term(3, TermUnit.MONTHS), StartEvent.EVENT, "CPCE art. R10-14 IV"),
    DataClass.ACCEPTANCE: Kept(
        Term(1, TermUnit.YEARS), StartEvent.EVENT, "RGPD art. 5.1.e et 6.1.e : décompte des messages acceptés"
    ),
    DataClass.TRAIL: Kept(
        Term(3, TermUnit.YEARS),
        StartEvent.EVENT,
        "RGPD art. 5.2 et 32 ; CNIL, délibération n° 2021-122 (journalisation)",
    ),
}


FLOORS: Mapping[DataClass, Floor] = {
    DataClass.CONNECTION: Floor(Term(1, TermUnit.YEARS), "CPCE art. L34-1 II bis 3°, R10-13 IV"),
    # Only while an injunction by decree holds, which is renewed year by year or not.
    DataClass.TRAFFIC: Floor(None, "CPCE art. L34-1 III"),
    DataClass.ACCOUNT: Floor(Term(1, TermUnit.YEARS), "CPCE art. L34-1 II bis 2°, R10-13 II"),
    # Three months are the most.
    DataClass.SECURITY: Floor(None, "CPCE art. R10-14 IV"),
    DataClass.ACCEPTANCE: Floor(None, "RGPD art. 5.1.e"),
    # As long as the connections that it says were looked at.
    DataClass.TRAIL: Floor(
        Term(1, TermUnit.YEARS), "RGPD art. 5.2 et 32 ; CNIL, délibération n° 2021-122 (journalisation)"
    ),
}
