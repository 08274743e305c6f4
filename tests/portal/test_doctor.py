"""``flask doctor`` on a machine that is not ready yet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.findings import Severity
from portal.cli.doctor import check_mode
from portal.cli.machine import check_clock, check_name, check_nginx, check_units, looked
from tests.portal.test_patrons_command import flask
from tests.services.parts import program
from tests.test_wsgi import ROOT


def test_what_is_missing_is_told_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_USER", raising=False)
    look = ("doctor", "--folder", str(tmp_path))
    empty = flask(tmp_path, *look)
    assert empty.returncode == 1 and "flask --app wsgi db upgrade" in empty.stdout
    assert flask(tmp_path, "db", "upgrade").returncode == 0
    answer = flask(tmp_path, *look)
    assert answer.returncode == 1
    assert f"fault\t{tmp_path}/portal.pem is missing" in answer.stdout
    assert "fault\tthere is no administrator: arobase staff add" in answer.stdout
    flask(tmp_path, "sites", "demo")
    place = ("--site", "gare-viotte", "--network", "wifilib", "--prefix", "10.66.0.0/20")
    assert flask(tmp_path, "gateways", "add", "gare", *place).returncode == 0
    assert flask(tmp_path, "staff", "add", "camille", "--role", "admin", "--all-networks").returncode == 0
    answer = flask(tmp_path, *look)
    assert "warning\tno administrator has opened the setup link yet" in answer.stdout
    assert "fault\tgateway gare: never seen" in answer.stdout


def test_a_secret_that_everybody_may_read_is_a_fault(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    assert check_mode(secret).severity is Severity.FAULT
    secret.touch()
    secret.chmod(0o644)
    assert "chmod 640" in check_mode(secret).sentence
    secret.chmod(0o640)
    assert check_mode(secret).severity is Severity.GOOD


def test_a_name_that_leads_elsewhere_is_told() -> None:
    assert check_name("portal.invalid", one_box=False).severity is Severity.FAULT
    assert check_name("localhost", one_box=True).severity is Severity.GOOD
    # TEST-NET-3 of RFC 5737: nobody's address.
    assert check_name("203.0.113.77", one_box=False).severity is Severity.WARNING
    assert check_name("203.0.113.77", one_box=True).severity is Severity.FAULT


def test_a_clock_that_has_lost_the_date_is_a_fault() -> None:
    assert "1970" in check_clock(86400.0).sentence and check_clock(86400.0).severity is Severity.FAULT
    assert check_clock(4e9).severity is not Severity.FAULT


def test_each_unit_that_is_not_active_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text(
        "#!/bin/sh\nshift\nfor u; do case $u in *staff) echo failed;; *) echo active;; esac; done"
    )
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (answer,) = check_units(True, booted=tmp_path)
    assert answer.severity is Severity.FAULT and "arobase-staff is failed" in answer.sentence
    systemctl.write_text("#!/bin/sh\nshift\nfor u; do echo active; done")
    (answer,) = check_units(True, booted=tmp_path)
    assert answer.severity is Severity.GOOD and "arobase-gateway " in answer.sentence
    (answer,) = check_units(True, booted=tmp_path / "none")
    assert answer.severity is Severity.WARNING and "systemd does not run" in answer.sentence


def test_what_nginx_says_against_its_file_is_told(tmp_path: Path) -> None:
    nginx, file = program("nginx"), tmp_path / "nginx.conf"
    assert check_nginx(file)[0].severity is Severity.WARNING
    file.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{ no_such_word on; }}\n")
    (answer,) = check_nginx(file, program=(nginx,))
    assert answer.severity is Severity.FAULT and "no_such_word" in answer.sentence
    file.write_text(f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\n")
    assert check_nginx(file, program=(nginx,))[0].severity is Severity.GOOD


def test_a_check_that_fails_is_a_finding() -> None:
    (answer,) = looked("the moon", lambda: [check_mode(Path("\0"))])
    assert (
        answer.severity is Severity.FAULT and "the moon could not be looked at: ValueError" in answer.sentence
    )


def test_a_user_that_is_not_there_does_not_hide_the_rest(tmp_path: Path) -> None:
    answer = flask(tmp_path, "doctor", "--folder", str(tmp_path), PORTAL_USER="nobody-of-that-name")
    assert answer.returncode == 1 and "portal.pem is missing" in answer.stdout
    if os.geteuid() == 0:
        assert "fault\tthe database could not be looked at: KeyError" in answer.stdout
    assert not answer.stderr


def test_no_cards_keep_nobody_out_where_nobody_signs_in_with_one(tmp_path: Path) -> None:
    assert flask(tmp_path, "db", "upgrade").returncode == 0
    assert "fault\tthere are no cards" in flask(tmp_path, "patrons", "check").stdout
    networks = tmp_path / "networks.csv"
    example = (ROOT / "deploy" / "example-networks.csv").read_text()
    networks.write_text(example.replace("patron pass", "pass"))
    done = flask(tmp_path, "sites", "import", str(networks), "--records", "networks")
    assert done.returncode == 0, done.stderr
    answer = flask(tmp_path, "patrons", "check")
    assert answer.returncode == 0 and "warning\tthere are no cards" in answer.stdout
