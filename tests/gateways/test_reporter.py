"""How often an agent reports."""

from __future__ import annotations

from gateways.nftables.reporter import RESTS, rest


def test_where_many_leave_reports_take_a_small_share_of_the_time() -> None:
    took = 0.25
    assert took / (took + rest(took, every=10.0)) <= 1 / RESTS


def test_a_report_that_takes_long_is_made_as_often_as_was_asked_for() -> None:
    assert rest(3.0, every=10.0) == 10.0


def test_who_leaves_a_quiet_gateway_is_told_of_soon() -> None:
    assert rest(0.02, every=10.0) < 0.5
