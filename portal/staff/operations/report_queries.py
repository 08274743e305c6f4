"""Which report a request asks for: a period, and a network or all that this person works for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from flask import abort, request

from auth.staff.roles import Action
from db.engine import reading
from portal.services import services, town_zone
from portal.staff.access import current_staff, ensure
from sessions.statistics.periods import Period, month_before
from sites import queries


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What the query asks for. `network` is empty for all that this person works for."""

    period: Period
    network: str
    is_readable: bool

    @property
    def networks(self) -> frozenset[str]:
        return frozenset({self.network}) if self.network else current_staff().authority.networks


def asked() -> ReportQuery:
    """What the address asks for."""
    return _read(request.args)


def sent() -> ReportQuery:
    """What the form names."""
    return _read(request.form)


def _read(words: Mapping[str, str]) -> ReportQuery:
    network = words.get("network", "")[:64]
    if network:
        with reading(services().make_session) as db:
            if queries.network_by_slug(db, network) is None:
                abort(HTTPStatus.NOT_FOUND)
        ensure(Action.REPORT, network)
    default = month_before(services().clock().astimezone(town_zone()).date())
    first, last = words.get("first", ""), words.get("last", "")
    if not first and not last:
        return ReportQuery(default, network, True)
    try:
        return ReportQuery(Period(date.fromisoformat(first), date.fromisoformat(last)), network, True)
    except (ValueError, OverflowError):
        return ReportQuery(default, network, False)
