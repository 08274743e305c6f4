"""What the accessibility declaration says (RGAA 4.1.2; décret 2019-768, article 5).

Without a valid audit the only lawful mention is "non conforme". An audit holds for three years.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.i18n.translation import say

YEARS_VALID = 3


@dataclass(frozen=True, slots=True)
class Conformity:
    """`audited_on` is the day of an audit that still holds; `is_partial` whether it allows "partiellement conforme"."""

    audited_on: date | None

    @property
    def is_partial(self) -> bool:
        return self.audited_on is not None

    @property
    def mention(self) -> str:
        """The official mention, in the language of this request."""
        if self.is_partial:
            return say("Accessibility: partially compliant")
        return say("Accessibility: not compliant")


def conformity(audited_on: str | None, *, today: date) -> Conformity:
    """What may be claimed today, from the date of the last audit as the operator set it (``2026-11-24``).

    A date that cannot be read, lies ahead or is more than three years old counts as no audit. The score of an audit
    is not a setting, so "totalement conforme" is never claimed.
    """
    try:
        day = date.fromisoformat(audited_on or "")
    except ValueError:
        return Conformity(None)
    return Conformity(day if day <= today < _years_later(day) else None)


def _years_later(day: date) -> date:
    year = day.year + YEARS_VALID
    return date(year, 3, 1) if (day.month, day.day) == (2, 29) else day.replace(year=year)
