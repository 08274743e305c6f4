"""How the tests of this room ask a directory: settings through a port, and bounded refusals."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from auth.errors import DirectoryUnavailable
from auth.patrons.ldap.client import LdapDirectory
from config import LdapSettings
from tests.services.slapd import Slapd

TODAY = date(2026, 9, 1)
# Long enough to open a connection on a busy machine, short enough to wait for.
SOON = 0.8
# The machine may be busy; what matters is that it is not the minutes of a drip, nor for ever.
GRACE = 1.5


def behind(slapd: Slapd, *ports: int, **changes: Any) -> LdapSettings:
    urls = tuple(f"ldaps://localhost:{port}" for port in ports)
    return replace(slapd.settings(urls=urls, timeout_seconds=5), **changes)


def sign_in(directory: LdapDirectory) -> object:
    return directory.prove(directory.find("29000001"), "1234", today=TODAY)


def unavailable(work: Callable[[], object]) -> str:
    """The reason of the refusal, which came by the deadline."""
    started = time.monotonic()
    with pytest.raises(DirectoryUnavailable) as refused:
        work()
    assert time.monotonic() - started < SOON + GRACE
    return refused.value.cause
