"""The rules and the dashboard that are shipped, in a real Prometheus that reads a portal."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from portal.services import Services
from portal.troubles import Rounds
from sessions.gateway_health import outages
from sessions.retention import clock_check
from sites.models import Gateway
from tests.clock import MovingClock
from tests.services.prometheus import DEPLOY, RULES, Prometheus, prometheus
from tests.town import Town

DASHBOARD = json.loads((DEPLOY / "grafana" / "arobase.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
# What a Grafana of the last five years has built in.
PANEL_KINDS = {"stat", "timeseries"}


@pytest.fixture
def watched(
    services: Services, app: Flask, town: Town, clock: MovingClock, tmp_path: Path
) -> Iterator[Prometheus]:
    """A portal with a silent gateway, and a Prometheus that reads it."""
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, town.station.id)
        outages.hear(db, gateway_id=gateway.id, now=clock(), health={"clock_offset": 1.5})
        clock.advance(minutes=10)
        outages.notice(db, now=clock())
        clock_check.look(db, now=clock())
    Rounds().look(services)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with prometheus(tmp_path, f"127.0.0.1:{server.server_port}") as found:
            found.wait_for('up{job="arobase"} == 1')
            yield found
    finally:
        server.shutdown()
        thread.join()


def test_every_rule_and_every_panel_speaks_of_figures_that_there_are(watched: Prometheus) -> None:
    """Nothing in an expression is misspelt: each selector of rules and panels finds series of the portal."""
    groups = watched.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) >= 10 and all(rule["health"] != "err" for rule in rules)
    known = {name for name in watched.ask("label/__name__/values") if name.startswith("arobase_")}
    expressions = [rule["query"] for rule in rules]
    expressions += [target["expr"] for panel in PANELS for target in panel["targets"]]
    for expression in expressions:
        used = {word for word in _words(expression) if word.startswith("arobase_")}
        # A purge has not been here yet: its figures are absent before the first.
        assert used <= known | {"arobase_purge_finished_seconds"}, expression
    for panel in PANELS:
        for target in panel["targets"]:
            assert watched.values(target["expr"]) or "purge_finished" in target["expr"], panel["title"]
    # And what is wrong here is on its way to its alerts.
    watched.wait_for('ALERTS{alertname="ArobaseGatewaySilent",gateway="gw-viotte"}')
    watched.wait_for('ALERTS{alertname="ArobaseTrouble",kind="gateway_silent"}')


def test_the_rules_fire_when_they_should_and_not_before(tmp_path: Path) -> None:
    """Made-up series, through promtool: for each alert a time at which it is quiet, and one at which it is not."""
    cases = json.loads((Path(__file__).parent / "rules_cases.json").read_text(encoding="utf-8"))
    named = {
        case["alertname"] for test in cases["tests"] for case in test["alert_rule_test"] if case["exp_alerts"]
    }
    rules = RULES.read_text(encoding="utf-8")
    assert named == {line.split(":")[1].strip() for line in rules.splitlines() if "- alert:" in line}
    file = tmp_path / "cases.yml"
    file.write_text(json.dumps({**cases, "rule_files": [str(RULES)]}), encoding="utf-8")
    result = subprocess.run(
        ["/usr/bin/promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """What Grafana's import asks for: an id of its own, panels that do not overlap, and a source that is asked for."""
    assert DASHBOARD["uid"] == "arobase" and DASHBOARD["title"] and DASHBOARD["schemaVersion"] >= 30
    [source] = DASHBOARD["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        assert panel["type"] in PANEL_KINDS and panel["title"] and panel["targets"]
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(one == {"type": "prometheus", "uid": f"${{{source['name']}}}"} for one in sources)
        place = panel["gridPos"]
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not cells & taken
        taken |= cells


def _words(expression: str) -> list[str]:
    return "".join(sign if sign.isalnum() or sign == "_" else " " for sign in expression).split()
