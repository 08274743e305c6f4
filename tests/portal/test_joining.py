"""The code that joins a network, read back as a phone reads it."""

from __future__ import annotations

import re

import pytest

from portal.printing.wifi_qr import joining_code, joining_uri

SSIDS = [
    "Besancon-WifiLib",
    "Café ; l'été",
    r"back\slash",
    'say "hello", now: or; never',
    ";T:WPA;P:secret",
    "  blanks  ",
    "日本",
    "\\;,:" * 8,
]


def read_uri(uri: str) -> dict[str, str]:
    """What a phone understands: fields end at a bare semicolon, a backslash takes the next character as it is."""
    assert uri.startswith("WIFI:")
    fields = re.findall(r"([A-Z]+):((?:\\.|[^\\;])*);", uri.removeprefix("WIFI:"))
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in fields}


@pytest.mark.parametrize("ssid", SSIDS)
def test_a_phone_reads_back_the_very_name_and_that_it_is_open(ssid: str) -> None:
    assert read_uri(joining_uri(ssid)) == {"T": "nopass", "S": ssid}


def test_the_picture_is_one_dark_path_within_a_quiet_zone() -> None:
    picture = str(joining_code("Besancon-WifiLib", "Code"))
    side = int(re.findall(r'viewBox="0 0 (\d+)', picture)[0])
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)", picture)]
    assert min(x for x, _, _ in runs) == min(y for _, y, _ in runs) == 4
    assert max(x + length for x, _, length in runs) == side - 4
    # The three corners that a camera looks for.
    assert (4, 4, 7) in runs and (side - 11, 4, 7) in runs and (4, side - 5, 7) in runs


def test_its_label_cannot_break_out() -> None:
    assert "<script>" not in joining_code("x", '"><script>')
