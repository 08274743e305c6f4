"""A start imports only what it needs: help needs no noun, the application no library that few requests use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from werkzeug.routing import Map, Rule

from lab.hotspot import portal_environment
from lab.records import make_secret
from lab.servers import TOP
from portal.cli import COMMANDS, LazyCommand
from portal.http.rules import LateRule

HELP = """
import sys
sys.argv = ["arobase", "--help"]
from portal.start import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("--imported--", *sorted(sys.modules))
"""
APP = (
    "import gc, sys, wsgi; "
    "print(gc.isenabled(), gc.get_freeze_count() > 100_000, '--imported--', *sorted(sys.modules))"
)
# Each is imported by who uses it: a sheet, an export, an answer, a directory, a scrape, a migration.
# The reader of catalogues too: a language is read when it is first spoken.
HEAVY = {
    "babel.messages",
    "typst",
    "pyarrow",
    "nacl",
    "ldap3",
    "webauthn",
    "authlib",
    "joserfc",
    "prometheus_client",
    "qrcode",
    "PIL",
    "alembic",
}


def imported(code: str, environment: dict[str, str]) -> tuple[str, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, env=environment, capture_output=True, text=True, check=True
    )
    said, _, names = done.stdout.rpartition("--imported-- ")
    return said, set(names.split())


def bare_environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(TOP), "LANG": "C.UTF-8"}


def environment(folder: Path) -> dict[str, str]:
    make_secret(folder / "secret")
    return portal_environment(folder, "https://portal.example")


def test_the_help_lists_every_noun_without_settings_and_without_the_database_library() -> None:
    said, modules = imported(HELP, bare_environment())
    assert [
        name for name in ("run", *(str(one.name) for one in COMMANDS)) if f"\n  {name} " not in said
    ] == []
    assert {"sqlalchemy", "portal.app", "portal.cli.vouchers"} & modules == set()


def test_the_application_imports_no_part_that_few_requests_use(tmp_path: Path) -> None:
    said, modules = imported(APP, environment(tmp_path))
    # Garbage is collected, and what was imported is not looked at again.
    assert said.split() == ["True", "True"]
    assert "portal.staff" in modules
    assert modules & HEAVY == set()
    assert {name for name in modules if name.startswith("portal.cli.")} == set()


# Each of these has pages or calls of its own.
ROOMS = ("portal.guest.routes", "portal.gateway_api.nftables", "portal.staff.routes", "portal.api.routes")
SERVED = {
    "guests": {"portal.guest.routes"},
    "gateways": {"portal.gateway_api.nftables"},
    "staff": {"portal.staff.routes", "portal.api.routes"},
    "all": set(ROOMS),
}
# Every table that a process knows leads to tables that it knows, and its classes to classes.
KNOWN = """
import sys
from portal.start import make_app
make_app()
print("--imported--", *sorted(sys.modules))
from sqlalchemy.orm import configure_mappers
from db.base import Base
configure_mappers()
for table in Base.metadata.tables.values():
    for key in table.foreign_keys:
        key.column
"""
ONE_COMMAND = """
import sys
from portal.cli import COMMANDS
COMMANDS[0].load()
print("--imported--", *sorted(sys.modules))
"""


@pytest.mark.parametrize("serves", SERVED)
def test_a_server_imports_the_pages_that_it_serves_and_no_others(serves: str, tmp_path: Path) -> None:
    _, modules = imported(KNOWN, environment(tmp_path) | {"AROBASE_SERVES": serves})
    assert modules & set(ROOMS) == SERVED[serves]
    if serves in ("guests", "gateways"):
        assert {name for name in modules if name.startswith(("portal.staff", "portal.api"))} == set()


def test_a_command_knows_every_table_whatever_the_process_serves() -> None:
    """A row cannot be written where a table that it points to is unknown."""
    declaring = set(re.findall(r"^import (\S+)", (TOP / "portal" / "tables.py").read_text(), re.MULTILINE))
    _, modules = imported(ONE_COMMAND, bare_environment())
    assert len(declaring) > 20 and declaring - modules == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_index_says_of_a_command_what_the_command_says(command: LazyCommand) -> None:
    called = command.load()
    assert (called.name, called.get_short_help_str()) == (command.name, command.get_short_help_str())
    assert isinstance(called, click.Command)


@pytest.mark.parametrize("words", [["routes"], ["patrons", "--help"]])
def test_a_command_gets_the_whole_application(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        cwd=TOP,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"routes": "/healthz", "patrons": "Usage: python -m flask patrons"}[words[0]] in done.stdout


def test_wrong_settings_are_told_when_a_command_is_called() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "vouchers", "list"],
        cwd=TOP,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Arobase does not start:\n- AROBASE_SECRET_KEY is missing.")


WARMED = """
import threading
import wsgi
from portal.warming import NAME
[thread] = [one for one in threading.enumerate() if one.name == NAME]
thread.join()
from portal.i18n import catalogues
from sites.holidays import _every_zone
from sites.models import Site
import sys
print("webauthn" in sys.modules, "portal.guest.routes" in sys.modules, end=" ")
print({rule.is_prepared for rule in wsgi.app.url_map.iter_rules()}, end=" ")
templates = sorted(name for _, name in wsgi.app.jinja_env.cache.keys())
print(Site.__mapper__.configured, sorted(catalogues._read), _every_zone.cache_info().currsize, *templates)
"""


def test_a_server_is_warmed_before_anybody_asks(tmp_path: Path) -> None:
    make_secret(tmp_path / "secret")
    environment = portal_environment(tmp_path, "https://portal.example") | {"AROBASE_LANGUAGES": "fr,en"}

    def warmed(serves: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", WARMED],
            cwd=TOP,
            env=environment | {"AROBASE_SERVES": serves},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    staff, gateways = warmed("staff"), warmed("gateways")
    assert (
        staff.startswith("True True {True} True ['en', 'fr'] 1 ")
        and "staff/campaign_form.html" in staff
        and "staff/layout.html" in staff
        and "guests/" not in staff
    )
    assert gateways == "False False {False} True [] 0\n"


def test_a_rule_writes_its_addresses_as_werkzeug_does_and_not_before_it_is_asked() -> None:
    def addresses(kind: type[Rule]) -> list[str]:
        page = kind("/pages/<int:number>/<path:rest>", endpoint="page")
        plain = kind("/plain", endpoint="plain", defaults={"number": 1})
        at = Map([page, plain]).bind("portal.example")
        return [
            address
            for _ in range(2)
            for address in (
                at.build("page", {"number": 3, "rest": "a b/é", "rule": "x"}),
                at.build("page", {"number": 4, "rest": "c"}, append_unknown=False),
                at.build("plain", {"number": 1, "after": "é&"}),
            )
        ]

    assert addresses(LateRule) == addresses(Rule)
    asked, silent = LateRule("/asked", endpoint="asked"), LateRule("/silent", endpoint="silent")
    Map([asked, silent]).bind("portal.example").build("asked", {})
    assert (asked.is_prepared, silent.is_prepared) == (True, False)
