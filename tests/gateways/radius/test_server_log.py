"""FreeRADIUS's own log, of 3.2.1: what it drops before the portal hears of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateways.radius.server_log import read

# By the zone of this machine, as the server writes it.
SEEN = datetime(2026, 11, 28, 23, 38, 25).astimezone()
SECRET = (
    "Sat Nov 28 23:38:25 2026 : Info: Dropping packet without response because of error: Received packet from "
    "127.0.0.1 with invalid Message-Authenticator!  (Shared secret is incorrect.) (from client gate-7-0)"
)
STRANGER = (
    "Sat Nov 28 23:38:26 2026 : Error: Ignoring request to auth address * port 1812 bound to server arobase from "
    "unknown client 10.9.9.9 port 40312 proto udp"
)
STARTED = "Sat Nov 28 23:39:00 2026 : Info: Ready to process requests"


def test_a_wrong_secret_and_an_unknown_sender_are_found() -> None:
    dropped = read(["no line of it", SECRET, STRANGER, STRANGER], since=SEEN)
    assert dropped.clients == {"gate-7-0"}
    assert dropped.strangers == ("10.9.9.9",)


def test_what_is_old_or_was_before_the_last_start_is_not_told() -> None:
    assert read([SECRET, STRANGER], since=SEEN + timedelta(minutes=1)).clients == frozenset()
    dropped = read([SECRET, STRANGER, STARTED], since=SEEN)
    assert (dropped.clients, dropped.strangers) == (frozenset(), ())
    assert read([STARTED, SECRET.replace("23:38:25", "99:99:99")], since=SEEN).clients == frozenset()
