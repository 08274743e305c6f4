"""A test that starts every server of the suite and waits: tests/test_interrupted.py ends its run in the middle."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser

from tests.db.test_restarts import pooled
from tests.front.conftest import serving
from tests.gateways.hotspot import AgentProcess
from tests.services.parts import program
from tests.services.slapd import running_slapd
from tests.services.town import opened


def test_that_waits_for_its_end(postgresql_url: str, chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "front").mkdir()
    with ExitStack() as stack:
        stack.enter_context(running_slapd(tmp_path / "slapd"))
        stack.enter_context(pooled(postgresql_url, "transaction"))
        stack.enter_context(serving(tmp_path / "front"))
        net = stack.enter_context(opened())
        net.gateway.ns.popen(
            [program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--user=root"]
        )
        AgentProcess(net, tmp_path / "agent").start()
        Path(os.environ["RUNS_FILE"]).touch()
        threading.Event().wait()
