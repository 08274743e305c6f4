"""What is asked is read strictly: nobody guesses a zone, a port or a year."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sessions.legal_requests.errors import UnreadableEntry
from sessions.legal_requests.scopes import RequestScope, read_scope
from tests.sessions.legal_requests.rows import PARIS

ORIGIN = {
    "kind": "origin",
    "public_address": "203.0.113.10",
    "port": "5200",
    "at": "2026-11-22T14:10:05+01:00",
}
SPAN = {
    "kind": "device",
    "value": "02-00-00-00-00-01",
    "since": "2026-11-22T14:00",
    "until": "2026-11-22T15:00",
    "zone": "Europe/Paris",
}


def test_an_instant_is_read_with_its_offset_and_kept_as_it_was_told() -> None:
    scope = read_scope(ORIGIN, zone=PARIS)
    assert scope.at == datetime(2026, 11, 22, 13, 10, 5, tzinfo=UTC)
    assert scope.as_written == "2026-11-22T14:10:05+01:00"
    assert RequestScope.of(scope.plain()) == scope


def test_a_zone_stands_in_for_an_offset() -> None:
    scope = read_scope(SPAN, zone=PARIS)
    assert scope.since == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert scope.value == "02:00:00:00:00:01"
    assert RequestScope.of(scope.plain()) == scope


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({**ORIGIN, "kind": "everything"}, "kind"),
        ({**ORIGIN, "public_address": "portal.example.org"}, "public_address"),
        ({**ORIGIN, "port": "0"}, "port"),
        ({**ORIGIN, "port": "65536"}, "port"),
        ({**ORIGIN, "port": "5200-5300"}, "port"),
        ({**ORIGIN, "at": "2026-11-22T14:10:05"}, "zone"),
        ({**ORIGIN, "at": "2026-11-22T14:10:05", "zone": "America/Lima"}, "zone"),
        ({**ORIGIN, "at": "yesterday"}, "at"),
        ({**ORIGIN, "at": "0001-01-01T00:00+14:00"}, "at"),
        ({**ORIGIN, "tolerance": "3601"}, "tolerance"),
        ({**ORIGIN, "tolerance": "-1"}, "tolerance"),
        ({**SPAN, "value": "ff:ff:ff:ff:ff:ff"}, "value"),
        ({**SPAN, "kind": "address"}, "value"),
        ({**SPAN, "kind": "person"}, "value"),
        ({**SPAN, "kind": "site", "value": "Gare Viotte"}, "value"),
        ({**SPAN, "since": "2026-11-22T15:00"}, "until"),
        ({**SPAN, "until": "2027-11-24T15:00"}, "until"),
        ({**SPAN, "until": ""}, "until"),
        ({**SPAN, "zone": ""}, "zone"),
    ],
)
def test_what_cannot_be_read_is_named(words: dict[str, str], field: str) -> None:
    with pytest.raises(UnreadableEntry) as refused:
        read_scope(words, zone=PARIS)
    assert refused.value.field == field
