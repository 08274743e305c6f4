"""What the import contracts of pyproject.toml cannot say of the rooms; and that the contracts are kept."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ["portal", "ads", "sessions", "auth", "sites", "gateways", "db", "config"]
VAGUE = {"utils", "helpers", "common", "manager", "misc", "data"}


def sources() -> list[Path]:
    rooms = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted([*rooms, ROOT / "wsgi.py", ROOT / "asgi.py"])


def test_the_import_contracts_are_kept() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_speak_of_every_room() -> None:
    found = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
    read = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert sorted(read["root_packages"]) == sorted(set(found) - {"lab", "tests", "deploy", "migrations"})


def test_no_file_has_a_vague_name() -> None:
    assert not [path for path in sources() if path.stem in VAGUE]


def test_the_rooms_load_from_our_root() -> None:
    for room in ROOMS:
        module = importlib.import_module(room)
        assert module.__file__ is not None
        assert Path(module.__file__).is_relative_to(ROOT)


def test_time_is_read_in_one_place_of_the_portal() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in sources()
        if "datetime.now(" in path.read_text(encoding="utf-8")
    ]
    assert readers == ["portal/app.py"]
