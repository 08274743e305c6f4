"""The front door: with a mistake in the environment nothing starts, and everything that is wrong is told at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
GOOD = {
    "AROBASE_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
    "AROBASE_PORTAL_URL": "https://portal.example.org",
    "AROBASE_TOWN": "Saint-Claude",
}


def start(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AROBASE_")}
    return subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env={**plain, "AROBASE_DATABASE_URL": f"sqlite:///{folder}/town.sqlite3", **GOOD, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_with_good_settings(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert (done.returncode, done.stdout) == (0, "The database is up to date.\n"), done.stderr


def test_it_refuses_to_start_and_says_everything_that_is_wrong(tmp_path: Path) -> None:
    done = start(
        tmp_path, AROBASE_SECRET_KEY="short", AROBASE_TYPO="1", AROBASE_PORTAL_URL="http://town.example"
    )
    assert done.returncode != 0
    for name in ("AROBASE_SECRET_KEY", "AROBASE_TYPO", "AROBASE_PORTAL_URL"):
        assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "town.sqlite3").exists()
