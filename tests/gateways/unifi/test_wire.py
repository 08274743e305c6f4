"""The dialogues that stand as text are what is spoken: their answers are read, and no other command is sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gateways.types import parse_mac
from gateways.unifi.answers import Rejected, read_guests, read_rows, read_stations

WIRE = Path(__file__).parents[3] / "gateways/unifi/wire"


def spoken(name: str, side: str) -> list[Any]:
    """The JSON texts of one side of a dialogue, `<` or `>`, in order."""
    said = "\n".join(
        line[2:] if line.startswith(side) else ""
        for line in (WIRE / name).read_text(encoding="ascii").splitlines()
    )
    return [json.loads(text) for text in re.findall(r"^\{.*?\}$(?=\n\n|\n[^ ]|\Z)", said, re.M | re.S)]


def test_each_dialogue_names_its_sources() -> None:
    for file in sorted(WIRE.glob("*.txt")):
        assert re.search(r"^Sources?[,:]", file.read_text(encoding="ascii"), re.M), file.name


def test_recorded_answers_are_read() -> None:
    rows, refused = [], []
    for answer in spoken("guests.txt", "<"):
        try:
            rows.append(read_rows(json.dumps(answer).encode()))
        except Rejected as error:
            refused.append(error.message)
    assert refused == ["api.err.UnknownStation", "api.err.NoPermission"]
    guest = read_guests(rows[3], now=1751128300.0)[parse_mac("de:3b:b7:c5:74:bf")]
    assert (guest.end, guest.bytes_up, guest.bytes_down) == (1782664225.0, 20162167, 450553318)
    assert read_guests(rows[3], now=1782664225.0) == {}
    (station,) = read_stations(rows[4])
    assert (str(station.address), station.is_guest, station.is_authorized) == ("10.20.1.65", True, False)


def test_the_recorded_commands_have_the_keys_that_are_sent() -> None:
    """As `tests/gateways/unifi/test_controller.py` sees them arrive."""
    commands = {one["cmd"]: set(one) for one in spoken("guests.txt", ">")}
    assert commands == {
        "authorize-guest": {"cmd", "mac", "minutes", "up", "down"},
        "unauthorize-guest": {"cmd", "mac"},
        "kick-sta": {"cmd", "mac"},
    }
