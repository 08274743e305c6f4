"""Until when a contract and an authorisation hold. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# How long before the end somebody is told, and how long after it a record that nobody has closed is named.
TOLD_BEFORE, TOLD_AFTER = timedelta(days=30), timedelta(days=14)


def end_of(last_day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `last_day` is over there."""
    return datetime.combine(last_day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
