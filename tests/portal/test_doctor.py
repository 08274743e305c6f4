"""``flask doctor`` on a machine that is not ready yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.findings import Severity
from portal.commands.doctor import check_mode, check_name
from tests.portal.test_patrons_command import flask


def test_what_is_missing_is_told_with_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_USER", raising=False)
    look = ("doctor", "--folder", str(tmp_path))
    empty = flask(tmp_path, *look)
    assert empty.returncode == 1 and "flask --app wsgi db upgrade" in empty.stdout
    assert flask(tmp_path, "db", "upgrade").returncode == 0
    told = flask(tmp_path, *look)
    assert told.returncode == 1
    assert f"fault\t{tmp_path}/portal.pem is missing" in told.stdout
    assert "fault\tthere is no administrator: arobase staff add" in told.stdout
    flask(tmp_path, "sites", "demo")
    place = ("--site", "gare-viotte", "--network", "wifilib", "--prefix", "10.66.0.0/20")
    assert flask(tmp_path, "gateways", "add", "gare", *place).returncode == 0
    assert flask(tmp_path, "staff", "add", "camille", "--role", "admin", "--all-networks").returncode == 0
    told = flask(tmp_path, *look)
    assert "warning\tno administrator has opened the setup link yet" in told.stdout
    assert "fault\tgateway gare: never seen" in told.stdout


def test_a_secret_that_everybody_may_read_is_a_fault(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    assert check_mode(secret).severity is Severity.FAULT
    secret.touch()
    secret.chmod(0o644)
    assert "chmod 640" in check_mode(secret).sentence
    secret.chmod(0o640)
    assert check_mode(secret).severity is Severity.GOOD


def test_a_name_that_leads_nowhere_is_a_fault() -> None:
    assert check_name("portal.invalid").severity is Severity.FAULT
    assert check_name("localhost").severity is Severity.GOOD
