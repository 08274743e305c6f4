"""A real Prometheus on loopback that scrapes one address, with our rules."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "arobase.rules.yml"
START_SECONDS = 60.0


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, **query: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(query)}", timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, expression: str) -> list[dict[str, Any]]:
        """What an expression gives now: each series with its labels and value."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def wait_for(self, expression: str, *, seconds: float = START_SECONDS) -> list[dict[str, Any]]:
        """The series of an expression, as soon as there is one."""
        deadline = time.monotonic() + seconds
        while not (found := self.values(expression)):
            assert time.monotonic() < deadline, f"nothing answers {expression}"
            time.sleep(0.2)
        return found


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """One that reads ``http://<target>/metrics`` each second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    configuration = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "arobase", "static_configs": [{"targets": [target]}]}],
    }
    # JSON is YAML.
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    log = (folder / "prometheus.log").open("wb")
    command = [
        "/usr/bin/prometheus",
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        found = Prometheus(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                with urlopen(f"{found.url}/-/ready", timeout=5):
                    break
            except (URLError, OSError):
                assert process.poll() is None and time.monotonic() < deadline, (
                    folder / "prometheus.log"
                ).read_text()
                time.sleep(0.1)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()
