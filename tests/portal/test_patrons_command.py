"""``flask patrons check`` and ``db upgrade`` on a new machine, and when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.findings import Severity
from db.engine import make_engine
from portal.cli.database import check_database
from tests.services.slapd import running_slapd
from tests.test_wsgi import GOOD, ROOT


def flask(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AROBASE_")}
    settings = {"AROBASE_DATABASE_URL": f"sqlite:///{folder}/town.sqlite3", **GOOD, **environ}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**plain, **settings}, capture_output=True, text=True, check=False
    )


def test_a_new_machine_is_told_what_is_missing_step_by_step(tmp_path: Path) -> None:
    empty = flask(tmp_path, "patrons", "check")
    assert empty.returncode == 1
    assert "the database is empty" in empty.stdout and "flask --app wsgi db upgrade" in empty.stdout
    assert flask(tmp_path, "db", "upgrade").returncode == 0
    bare = flask(tmp_path, "patrons", "check")
    assert bare.returncode == 1
    assert "there are no cards yet" in bare.stdout
    cards = tmp_path / "cards.csv"
    cards.write_bytes("card;pin;blocked\r\n29000001;1234;FAUX\r\n;;\r\n".encode("utf-16"))
    assert "1 added" in flask(tmp_path, "patrons", "import", str(cards)).stdout
    ready = flask(tmp_path, "patrons", "check", "--login", "2900 0001")
    assert (ready.returncode, ready.stderr) == (0, "")
    assert "1 cards" in ready.stdout and "this card is in the table" in ready.stdout
    assert flask(tmp_path, "patrons", "check", "--login", "7").returncode == 1


def test_a_directory_is_asked_where_there_is_one(tmp_path: Path) -> None:
    assert flask(tmp_path, "db", "upgrade").returncode == 0
    with running_slapd(tmp_path / "slapd") as slapd:
        slapd.add_patron("29000001", "1234")
        ldap = {
            "AROBASE_LDAP_URLS": slapd.url,
            "AROBASE_LDAP_BIND_DN": slapd.bind_dn,
            "AROBASE_LDAP_BIND_PASSWORD": slapd.bind_password,
            "AROBASE_LDAP_BASE_DN": slapd.people,
            "AROBASE_LDAP_CA_FILE": str(slapd.ca_file),
        }
        right = flask(tmp_path, "patrons", "check", "--login", "29000001", **ldap)
        assert right.returncode == 0, right.stdout
        assert "this login is uid=29000001" in right.stdout
        wrong = flask(tmp_path, "patrons", "check", **ldap, AROBASE_LDAP_ID_ATTRIBUTE="employeeNumber")
    assert wrong.returncode == 1
    assert "fault\t" in wrong.stdout and "AROBASE_LDAP_ID_ATTRIBUTE" in wrong.stdout
    assert slapd.bind_password not in right.stdout + wrong.stdout + wrong.stderr


@pytest.mark.parametrize(
    "url", ["postgresql://somebody:hunter2@127.0.0.1:1/town", "sqlite:////nowhere/at/all/town.sqlite3"]
)
def test_a_database_that_is_away_is_a_sentence_and_no_traceback(tmp_path: Path, url: str) -> None:
    [found] = check_database(make_engine(url))
    assert found.severity is Severity.FAULT
    assert found.sentence.startswith("AROBASE_DATABASE_URL: the database cannot be used: ")
    done = flask(tmp_path, "db", "upgrade", AROBASE_DATABASE_URL=url)
    assert done.returncode == 1
    assert "AROBASE_DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr and "hunter2" not in done.stderr


def test_a_wrong_setting_of_any_kind_is_a_list_and_no_traceback(tmp_path: Path) -> None:
    done = flask(
        tmp_path,
        "patrons",
        "check",
        AROBASE_DATABASE_URL="mysql://u:p@h/d",
        AROBASE_LDAP_URLS="ldaps://one/dc=x",
        AROBASE_LDAP_USER_FILTER="uid={login}",
        AROBASE_LDAP_CA_FILE=str(tmp_path),
        AROBASE_PORTAL_URL="https://portal.example.org/wifi",
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name in (
        "DATABASE_URL",
        "LDAP_URLS",
        "LDAP_USER_FILTER",
        "LDAP_CA_FILE",
        "LDAP_BIND_DN",
        "PORTAL_URL",
    ):
        assert f"- AROBASE_{name} " in done.stderr
