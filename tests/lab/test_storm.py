"""The storm of a stadium, on a small scale: each habit of phones once, on real parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import doors
from lab.hotspot import hotspot
from lab.storm import storm
from tests.services.parts import program
from tests.services.town import opened


@pytest.mark.netns
@pytest.mark.release
def test_ten_phones_with_all_their_habits_are_let_in_and_leave(tmp_path: Path) -> None:
    for part in ("dnsmasq", "openssl", "nginx"):
        program(part)
    with opened():
        pass
    with hotspot(tmp_path, (doors.STATION, doors.LIBRARY)) as place:
        place.start()
        met = storm(place, phones=10, seconds=2, stay=1)
    assert met["errors"] == 0, {name: value for name, value in met.items() if name.startswith("error")}
    assert met["phones let in"] == 10
    assert met["datagrams lost, online"] == 0
    assert [value for name, value in met.items() if name.startswith("phones of which each")] == [1] * 5
    assert met["the portal's machine, processor a phone (ms)"] > 0
