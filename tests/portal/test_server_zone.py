"""The zone of the server's own clock is nobody's: pages, files and days are those of the site, or in UTC."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.test_commands import run

# Fourteen hours before Greenwich and eight behind: their days are others than the town's.
ZONES = ["Pacific/Kiritimati", "America/Los_Angeles"]


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield
    monkeypatch.undo()
    time.tzset()


def answer(app: Flask, reader: Phone) -> list[str]:
    """What the status page and the commands say, without the tokens, which are new each time."""
    page = reader.get("/status").text
    words = re.sub(r"<[^>]*>", " ", page)
    commands = [("sites", "list"), ("sessions", "list"), ("vouchers", "books"), ("retention", "show")]
    return [" ".join(words.split()), *(run(app, *command).output for command in commands)]


def test_the_servers_zone_changes_nothing(
    app: Flask,
    reader: Phone,
    bayle: Agent,
    clock: MovingClock,
    monkeypatch: pytest.MonkeyPatch,
    set_zone: None,
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    expected = answer(app, reader)
    assert re.search(r"\d\d:\d\d", expected[0]), expected[0]
    for zone in ZONES:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert time.localtime(0).tm_hour != 0
        assert answer(app, reader) == expected, zone
