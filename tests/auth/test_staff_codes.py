"""Codes of the second factor: the vectors of the standard, and what a person's fingers make of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from auth.staff.totp import (
    RECOVERY_ALPHABET,
    as_base32,
    enrolment_uri,
    make_recovery_codes,
    read_recovery_code,
    step_of,
    totp,
)

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 24, 11, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // 30


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_it_agrees_with_the_standard(seconds: int, code: str) -> None:
    """RFC 6238, appendix B, the rows of SHA-1."""
    assert totp(SECRET, seconds // 30, digits=8) == code


def test_a_code_is_good_one_step_early_or_late_and_no_more() -> None:
    found = [step_of(totp(SECRET, STEP + drift), secret=SECRET, now=NOW) for drift in (-2, -1, 0, 1, 2)]
    assert found == [None, STEP - 1, STEP, STEP + 1, None]


def test_a_code_may_be_typed_with_spaces() -> None:
    code = totp(SECRET, STEP)
    assert step_of(f" {code[:3]} {code[3:]} ", secret=SECRET, now=NOW) == STEP


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "0x1234"])
def test_what_is_no_code_is_no_code(typed: str) -> None:
    assert step_of(typed, secret=SECRET, now=NOW) is None


def test_a_code_in_full_width_digits_is_no_code() -> None:
    code = totp(SECRET, STEP)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    assert step_of(code, secret=SECRET, now=NOW) == STEP
    assert step_of(wide, secret=SECRET, now=NOW) is None


def test_the_code_of_another_secret_is_no_code() -> None:
    assert step_of(totp(b"another secret of 20", STEP), secret=SECRET, now=NOW) is None


def test_an_authenticator_reads_its_secret_from_the_address() -> None:
    uri = enrolment_uri(SECRET, login="camille.martin", issuer="Arobase Besançon")
    assert uri == (
        "otpauth://totp/Arobase%20Besan%C3%A7on:camille.martin"
        f"?secret={as_base32(SECRET)}&issuer=Arobase%20Besan%C3%A7on"
    )
    assert base64.b32decode(as_base32(SECRET)) == SECRET


def test_recovery_codes_are_ten_different_ones_without_look_alikes() -> None:
    codes = make_recovery_codes()
    assert len(set(codes)) == 10
    assert not set("01ilo") & set(RECOVERY_ALPHABET)
    for code in codes:
        assert len(code) == 11 and code[5] == "-"


def test_a_recovery_code_is_read_however_it_is_typed() -> None:
    assert read_recovery_code("ABCDE-fgh23") == "abcdefgh23"
    assert read_recovery_code(" abcde fgh23 ") == "abcdefgh23"
    assert read_recovery_code("abcde-fgh2") is None
    assert read_recovery_code("abcde-fgh20") is None
    assert read_recovery_code("123456") is None


def test_codes_drift_with_the_clock() -> None:
    code = totp(SECRET, STEP)
    assert step_of(code, secret=SECRET, now=NOW + timedelta(seconds=60)) is None
