"""What is seen without a reason, and what each lifted mask adds."""

from __future__ import annotations

import pytest

from sessions.log.masks import MASKED, MaskedField, Visibility

DEVICES, PERSONS = Visibility(frozenset({MaskedField.DEVICES})), Visibility(frozenset({MaskedField.PERSONS}))


@pytest.mark.parametrize(
    ("whole", "seen"),
    [
        ("10.66.0.5", "….5"),
        ("10.66.0.0", "….0"),
        ("fd66::1:5", "…:5"),
        ("fd66::", "…:0"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_keeps_its_last_part(whole: str | None, seen: str) -> None:
    assert MASKED.address(whole) == seen
    assert DEVICES.address(whole) == (whole or "")


def test_a_mac_keeps_two_octets_a_pseudonym_four_digits_a_pass_its_batch() -> None:
    assert MASKED.mac("02:00:00:00:0a:01") == "…:0a:01"
    assert MASKED.subject("3f9a" * 8) == "3f9a…"
    assert MASKED.pass_mark("12-7") == "12-…"
    assert MASKED.ports(1024, 2047) == "…"
    assert (MASKED.mac(None), MASKED.subject(None), MASKED.pass_mark(None), MASKED.ports(None, None)) == (
        "",
    ) * 4


def test_each_class_is_lifted_for_itself() -> None:
    assert DEVICES.mac("02:00:00:00:0a:01") == "02:00:00:00:0a:01"
    assert DEVICES.ports(1024, 2047) == "1024-2047"
    assert DEVICES.subject("3f9a" * 8) == "3f9a…"
    assert DEVICES.pass_mark("12-7") == "12-…"
    assert PERSONS.subject("3f9a" * 8) == "3f9a" * 8
    assert PERSONS.pass_mark("12-7") == "12-7"
    assert PERSONS.mac("02:00:00:00:0a:01") == "…:0a:01"
    assert PERSONS.address("10.66.0.5") == "….5"
