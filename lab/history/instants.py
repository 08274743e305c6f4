"""Instants as both databases write them, made quickly. They are seconds since the epoch, as in the protocols."""

from __future__ import annotations

from datetime import UTC, datetime

_CLOCK = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(86400)]
_DAYS: dict[int, str] = {}


def text_of(at: float) -> str:
    """``2026-11-24 11:00:00.250000``: what SQLAlchemy stores on SQLite, and PostgreSQL reads as UTC."""
    whole = int(at)
    day, second = divmod(whole, 86400)
    if day not in _DAYS:
        _DAYS[day] = datetime.fromtimestamp(whole, UTC).date().isoformat()
    return f"{_DAYS[day]} {_CLOCK[second]}.{int((at - whole) * 1e6):06d}"
