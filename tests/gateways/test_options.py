"""What an operator sets at a record of a kind."""

from __future__ import annotations

import pytest

from gateways.carriage import Carriage
from gateways.kinds import Capabilities, InvalidOptions, Kind, Learning, Option


def _level(text: str) -> str:
    if text not in ("1", "2"):
        raise ValueError(f"{text} is not 1 or 2")
    return text


KIND = Kind(
    name="hatch",
    product="Hatch",
    capabilities=Capabilities(
        learns=Learning.CARRIED,
        learns_within_seconds=1,
        ends_by_itself=True,
        extends=False,
        revokes=False,
        limits_rates=False,
        limits_volume=False,
        accounts=False,
        reports_presence=False,
        is_heard=False,
    ),
    options=(
        Option(name="level", read=_level, help="Its level.", default="2"),
        Option(name="hosts", read=str.lower, help="The hosts that its login address may have."),
    ),
)


def test_options_are_kept_in_one_form_and_without_defaults() -> None:
    kept = KIND.read_options({"level": "2", "hosts": "HATCH.EXAMPLE.ORG"})
    assert kept == {"hosts": "hatch.example.org"}
    assert KIND.option(kept, "level") == "2" and KIND.option({"level": "1"}, "level") == "1"


def test_all_faults_of_options_are_told_at_once() -> None:
    with pytest.raises(InvalidOptions) as refused:
        KIND.read_options({"level": "9", "colour": "red"})
    assert refused.value.faults == (
        "hatch has no option 'colour'",
        "level: 9 is not 1 or 2",
        "hosts must be set: The hosts that its login address may have.",
    )


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://10.1.0.1:3990/logon", "http://10.1.0.1:3990/logon?user=a%26b&x=1"),
        ("http://10.1.0.1/?zone=z", "http://10.1.0.1/?zone=z&user=a%26b&x=1"),
    ],
)
def test_what_a_redirect_carries_stands_in_its_query(url: str, address: str) -> None:
    carriage = Carriage(url, {"user": "a&b", "x": "1"})
    assert carriage.address == address
    assert carriage.origin == url.partition("/logon")[0].partition("/?")[0]
