"""How many different devices: near enough, in any order, and nothing to go back by."""

from __future__ import annotations

import random

import pytest

from sessions.statistics.sketch import REGISTERS, STANDARD_ERROR, Sketch, count, merged

SALT, OTHER = b"one" * 11, b"two" * 11


def devices(first: int, after: int) -> list[str]:
    return [
        f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        for number in range(first, after)
    ]


def test_a_sketch_of_nobody_is_nobody() -> None:
    assert Sketch().estimate() == 0


@pytest.mark.parametrize("number", [1, 2, 5, 20, 100])
def test_few_devices_are_counted_almost_exactly(number: int) -> None:
    assert abs(count(devices(0, number), salt=SALT).estimate() - number) <= 0.02 * number


@pytest.mark.parametrize("number", [1_000, 4_000, 10_000, 12_000, 50_000])
def test_many_devices_are_counted_within_three_standard_errors(number: int) -> None:
    found = count(devices(0, number), salt=SALT).estimate()
    assert abs(found - number) <= 3 * STANDARD_ERROR * number


def test_the_errors_of_many_salts_are_as_large_as_said() -> None:
    number, salts = 2_000, 40
    errors = [
        count(devices(0, number), salt=bytes([salt]) * 32).estimate() / number - 1 for salt in range(salts)
    ]
    mean = sum(errors) / salts
    spread = (sum(error**2 for error in errors) / salts) ** 0.5
    # Forty salts know the spread itself to about a ninth, the mean to a sixth of a standard error.
    assert spread < 1.4 * STANDARD_ERROR
    assert abs(mean) < 0.6 * STANDARD_ERROR


def test_order_and_repetition_change_nothing() -> None:
    some = devices(0, 3_000)
    shuffled = some * 2
    random.Random(7).shuffle(shuffled)
    assert count(shuffled, salt=SALT).to_bytes() == count(some, salt=SALT).to_bytes()


def test_sketches_of_parts_merge_into_the_sketch_of_all() -> None:
    parts = [count(devices(*ends), salt=SALT) for ends in ((0, 700), (500, 2_000), (1_900, 2_500))]
    whole = count(devices(0, 2_500), salt=SALT).to_bytes()
    assert merged(parts).to_bytes() == whole
    assert merged(reversed(parts)).to_bytes() == whole


@pytest.mark.parametrize("number", [0, 1, 200, 1_300, 20_000])
def test_a_sketch_is_the_same_after_it_was_stored(number: int) -> None:
    stored = count(devices(0, number), salt=SALT).to_bytes()
    assert len(stored) <= REGISTERS + 1
    assert Sketch.from_bytes(stored).to_bytes() == stored


@pytest.mark.parametrize("stored", [b"", b"x", b"s1", b"d" + b"\0" * 10])
def test_what_is_no_sketch_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="not a sketch"):
        Sketch.from_bytes(stored)


def test_without_the_salt_a_device_leaves_no_trace_of_its_own() -> None:
    """The registers a device sets depend on the salt: whoever guesses another one finds what chance would find."""
    some, strangers = devices(0, 500), devices(10_000, 10_500)
    sketch = count(some, salt=SALT)

    def found(those: list[str], salt: bytes) -> int:
        """How many of these the sketch would not change for: as far as it goes, it may have counted them."""
        stored = sketch.to_bytes()
        return sum(merged([sketch, count([one], salt=salt)]).to_bytes() == stored for one in those)

    assert found(some, SALT) == 500
    assert found(some, OTHER) < 100
    assert abs(found(some, OTHER) - found(strangers, OTHER)) < 50
