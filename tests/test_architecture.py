"""The house keeps its storeys: imports go down only, and every library is at home in one place."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the roof to the cellar. A room may import the rooms after it.
STOREYS = ["asgi", "wsgi", "portal", "ads", "sessions", "auth", "sites", "gateways", "db", "config"]
ATTICS = ["migrations", "tests", "lab"]
AT_HOME = {
    "flask": ["portal"],
    "werkzeug": ["portal"],
    "flask_login": ["portal"],
    "click": ["portal"],
    "qrcode": ["portal"],
    "ldap3": ["auth/patrons/ldap"],
    "jwt": ["auth/tokens.py", "gateways/landing_token.py"],
    "subprocess": ["gateways/nftables", "portal/printing/typesetter.py", "portal/cli/machine.py"],
    "typst": ["portal/printing/press.py"],
    "nacl": ["sessions/legal_requests/signing.py"],
    "sqlalchemy": ["db", "sites", "auth", "sessions", "ads", "portal"],
    "pyarrow": ["sessions/log/parquet.py"],
    "vacances_scolaires_france": ["sites/holidays.py"],
    "alembic": ["portal/cli/database.py"],
}
VAGUE = {"utils", "helpers", "common", "manager", "misc", "data"}


def sources() -> list[Path]:
    rooms = [ROOT / f"{room}.py" if (ROOT / f"{room}.py").exists() else ROOT / room for room in STOREYS]
    return sorted(path for room in rooms for path in ([room] if room.is_file() else room.rglob("*.py")))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_it_imports_downward_only(path: Path) -> None:
    room = room_of(path)
    below = STOREYS[STOREYS.index(room) :]
    for name in imports(path):
        top = name.split(".")[0]
        assert top not in ATTICS, f"{path}: {name}"
        if top in STOREYS:
            assert top in below, f"{path}: {name} is a storey above"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_library_is_at_home_in_one_place(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    for name in imports(path):
        homes = AT_HOME.get(name.split(".")[0])
        assert homes is None or any(place.startswith(home) for home in homes), f"{place}: {name}"


def test_the_agent_imports_no_room_above_it_and_no_database() -> None:
    for path in (ROOT / "gateways").rglob("*.py"):
        for name in imports(path):
            assert name.split(".")[0] not in {
                "portal",
                "ads",
                "sessions",
                "auth",
                "sites",
                "db",
                "config",
                "sqlalchemy",
            }


def test_no_file_has_a_vague_name() -> None:
    assert not [path for path in sources() if path.stem in VAGUE]


def test_the_rooms_load_from_our_root() -> None:
    for room in STOREYS[2:]:
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
