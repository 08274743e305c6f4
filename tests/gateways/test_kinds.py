"""Kinds of gateways are declared in their folders, and known nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateways.fake.kind import KIND as FAKE
from gateways.nftables.kind import KIND as NFTABLES
from gateways.registry import UnknownKind, kind_of, kinds, names

ROOT = Path(__file__).parents[2]


def test_every_folder_of_a_kind_is_found_under_its_own_name() -> None:
    folders = sorted(path.parent.name for path in (ROOT / "gateways").glob("*/kind.py"))
    assert list(kinds()) == folders
    assert kind_of("nftables") is NFTABLES


def test_a_name_that_is_no_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownKind, match=rf"'turnstile' is none of .*fake.*, {NFTABLES.name}"):
        kind_of("turnstile")


def test_kinds_are_chosen_by_what_they_can_do() -> None:
    accounting, revoking = names(lambda kind: kind.accounts), names(lambda kind: kind.revokes)
    assert "nftables" in accounting and "fake" not in accounting
    assert {"fake", "nftables"} <= set(revoking) and revoking == sorted(revoking)


def test_a_gateway_that_can_end_access_in_no_way_is_no_kind() -> None:
    with pytest.raises(ValueError, match="can end none"):
        replace(FAKE.capabilities, ends_by_itself=False, revokes=False)


@pytest.mark.parametrize(
    ("ends_by_itself", "finest", "revokes", "is_told", "step"),
    [
        (True, 1, True, False, 1),
        (True, 60, True, True, 1),
        (True, 60, False, False, 60),
        (False, 1, True, True, 1),
    ],
)
def test_the_end_of_access_is_kept_by_the_gateway_or_told_or_rounded(
    ends_by_itself: bool, finest: int, revokes: bool, is_told: bool, step: int
) -> None:
    can = replace(FAKE.capabilities, ends_by_itself=ends_by_itself, finest_seconds=finest, revokes=revokes)
    assert (can.must_be_told_ends, can.lease_step_seconds) == (is_told, step)


@pytest.mark.parametrize("room", ["sessions", "sites", "auth", "ads", "portal"])
def test_no_room_above_asks_for_a_kind_by_its_name(room: str) -> None:
    """Policy reads capabilities. Only the command line's default and a kind's own endpoint say a name."""
    own = {f"portal/gateway_api/{name}.py" for name in kinds()} | {"portal/cli/gateways.py"}
    for path in (ROOT / room).rglob("*.py"):
        if str(path.relative_to(ROOT)) not in own:
            text = path.read_text(encoding="utf-8")
            assert not any(f'"{name}"' in text for name in kinds()), path
