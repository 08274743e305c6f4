from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from auth.patrons.ldap.responses import (
    BindResult,
    UnreadableAttribute,
    judge_bind,
    read_expiry,
    read_id,
    read_lock,
    read_text,
)


def ticks(instant: datetime) -> bytes:
    """Active Directory's form of an instant."""
    return str(int((instant - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000).encode()


@pytest.mark.parametrize(
    ("attribute", "value", "last_day"),
    [
        ("cardEnds", b"2027-08-31", date(2027, 8, 31)),
        ("cardEnds", b"20270831", date(2027, 8, 31)),
        ("cardEnds", b"20270831235959Z", date(2027, 8, 31)),
        ("schacExpiryDate", b"20270831000000Z", date(2027, 8, 31)),
        ("cardEnds", b"202708312359+0200", date(2027, 8, 31)),
        ("cardEnds", b"20270831235959.5Z", date(2027, 8, 31)),
        ("shadowExpire", b"1", date(1970, 1, 1)),
        ("ShadowExpire", b"20000", date(2024, 10, 3)),
        ("shadowExpire", b"-1", None),
        ("accountExpires", b"0", None),
        ("accountExpires", b"9223372036854775807", None),
        # "End of 30 June" in Paris is the first instant of 1 July there.
        ("accountExpires", ticks(datetime(2026, 6, 30, 22, tzinfo=UTC)), date(2026, 6, 30)),
        ("accountExpires", ticks(datetime(2027, 1, 1, tzinfo=UTC)), date(2026, 12, 31)),
        ("myExpiry", b"20000", date(2024, 10, 3)),
        ("myExpiry", ticks(datetime(2027, 1, 1, tzinfo=UTC)), date(2026, 12, 31)),
        ("cardEnds", b"", None),
    ],
)
def test_it_reads_the_last_day_in_every_usual_form(
    attribute: str, value: bytes, last_day: date | None
) -> None:
    assert read_expiry(attribute, (value,)) == last_day


@pytest.mark.parametrize(
    "value", [b"31/08/2027", b"2027-13-01", b"20271301", b"soon", b"99999999999999999999999"]
)
def test_it_refuses_to_guess_a_date(value: bytes) -> None:
    with pytest.raises(UnreadableAttribute) as refused:
        read_expiry("cardEnds", (value,))
    assert "cardEnds" in str(refused.value)
    assert value.decode() not in str(refused.value)


@pytest.mark.parametrize(
    ("attribute", "value", "is_locked"),
    [
        ("cardBlocked", b"TRUE", True),
        ("cardBlocked", b"FALSE", False),
        ("nsAccountLock", b"true", True),
        ("blocked", b"0", False),
        ("pwdAccountLockedTime", b"000001010000Z", True),
        ("pwdAccountLockedTime", b"20260101000000Z", True),
        ("userAccountControl", b"512", False),
        ("userAccountControl", b"514", True),
        ("userAccountControl", b"66050", True),
    ],
)
def test_it_reads_a_lock_in_every_usual_form(attribute: str, value: bytes, is_locked: bool) -> None:
    assert read_lock(attribute, (value,)) is is_locked


def test_no_lock_attribute_is_no_lock() -> None:
    assert read_lock("pwdAccountLockedTime", ()) is False


def test_it_refuses_to_guess_a_bit_field() -> None:
    with pytest.raises(UnreadableAttribute):
        read_lock("userAccountControl", (b"disabled",))


def test_it_reads_an_identifier_of_text_or_octets() -> None:
    octets = bytes.fromhex("33221100554477668899aabbccddeeff")
    assert read_id("entryUUID", (b"abc",)) == "abc"
    assert read_id("objectGUID", (octets,)) == "00112233-4455-6677-8899-aabbccddeeff"
    assert read_id("someId", (b"\xff\x00",)) == "ff00"


@pytest.mark.parametrize("values", [(), (b"",), (b"a", b"b")])
def test_an_identifier_is_exactly_one(values: tuple[bytes, ...]) -> None:
    with pytest.raises(UnreadableAttribute):
        read_id("entryUUID", values)


def test_several_values_give_the_same_one_in_any_order() -> None:
    assert read_text((b"b", b"a")) == read_text((b"a", b"b")) == "a"


AD = "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data {}, v3839"


@pytest.mark.parametrize(
    ("code", "message", "policy", "proof"),
    [
        (0, "", None, BindResult.RIGHT),
        (0, "", 2, BindResult.TO_CHANGE),
        (49, "", None, BindResult.WRONG),
        (49, "", 0, BindResult.TO_CHANGE),
        (49, "", 1, BindResult.WRONG),
        (49, AD.format("52e"), None, BindResult.WRONG),
        (49, AD.format("525"), None, BindResult.WRONG),
        (49, AD.format("775"), None, BindResult.WRONG),
        (49, AD.format("533"), None, BindResult.BLOCKED),
        (49, AD.format("701"), None, BindResult.EXPIRED),
        (49, AD.format("773"), None, BindResult.TO_CHANGE),
        (49, AD.format("532"), None, BindResult.TO_CHANGE),
        (48, "", None, BindResult.WRONG),
        (53, "", None, BindResult.WRONG),
        (1, "", None, BindResult.UNKNOWN),
        (10, "", None, BindResult.UNKNOWN),
        (13, "", None, BindResult.UNKNOWN),
    ],
)
def test_only_what_proves_the_secret_tells_more(
    code: int, message: str, policy: int | None, proof: BindResult
) -> None:
    assert judge_bind(code, message, policy) is proof
