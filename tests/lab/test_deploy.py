from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from config import Settings
from gateways.nftables.configuration import read
from gateways.nftables.dnsmasq import render
from portal.cli.front import FILE
from tests.services.parts import program

TOP = Path(__file__).resolve().parents[2]
DEPLOY = TOP / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"), key=lambda unit: unit.stem)


def test_there_is_a_unit_for_each_process_of_a_site() -> None:
    names = ["front", "gateway", "gateway-api", "portal", "staff", "sweep"]
    assert [unit.stem for unit in UNITS] == [f"arobase-{name}" for name in names]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_finds_no_fault_in_a_unit(unit: Path, tmp_path: Path) -> None:
    systemd_analyze = program("systemd-analyze")
    system = tmp_path / "usr/lib/systemd/system"
    shutil.copytree("/usr/lib/systemd/system", system, symlinks=True)
    ours = [f"opt/arobase/.venv/bin/{command}" for command in ("flask", "granian", "python")]
    for command in (*ours, "usr/sbin/nginx", "bin/kill"):
        stub = tmp_path / command
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text("#!/bin/sh\n")
        stub.chmod(0o755)
    place = tmp_path / "etc/systemd/system" / unit.name
    place.parent.mkdir(parents=True)
    shutil.copy(unit, place)
    answer = subprocess.run(
        [systemd_analyze, "verify", f"--root={tmp_path}", "--man=no", unit.name],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in answer.stderr.splitlines() if "arobase" in line]
    assert answer.returncode == 0, answer.stderr
    assert not complaints, complaints


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_every_unit_is_hardened(unit: Path) -> None:
    text = unit.read_text()
    for line in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "RestrictNamespaces=yes",
        "RestrictSUIDSGID=yes",
        "SystemCallFilter=@system-service",
    ):
        assert f"\n{line}\n" in text
    assert re.search(r"^CapabilityBoundingSet=", text, re.MULTILINE)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_no_unit_gives_up_after_some_tries(unit: Path) -> None:
    """systemd stops trying after five starts in ten seconds, unless it is told not to count (systemd.unit(5))."""
    assert "\nStartLimitIntervalSec=0\n" in unit.read_text().partition("[Service]")[0]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_python_is_reached_over_http_1_and_from_this_machine_alone(unit: Path) -> None:
    """Over HTTP/2 a form that is cut off keeps granian busy for ever; strangers talk to nginx."""
    lines = unit.read_text().replace("\\\n", " ").splitlines()
    for command in (line for line in lines if line.startswith("ExecStart=") and "granian" in line):
        words = command.split()
        assert words[words.index("--http") + 1] == "1"
        assert words[words.index("--host") + 1] == "127.0.0.1"


def test_the_example_settings_make_a_portal(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    secret.write_text("Zq3vT8-kx1Lw0_mJr5Yh7Bn2Pc9Fd4Gs6Ua")
    lines = (DEPLOY / "portal.env").read_text().replace("/etc/arobase/secret.key", str(secret)).splitlines()
    pairs = [line.removeprefix("# ") for line in lines if "AROBASE_" in line.partition("=")[0]]
    environ = dict(pair.split("=", 1) for pair in pairs if "PASSWORD" not in pair)
    assert Settings.from_env({**environ, "AROBASE_LDAP_BIND_PASSWORD": "x"}).portal_url.startswith("https://")


def test_the_example_agent_file_makes_a_gateway_and_its_dnsmasq(tmp_path: Path) -> None:
    credential = tmp_path / "credential"
    credential.write_text("x" * 40)
    text = (DEPLOY / "agent.toml").read_text()
    commented = [line[2:] for line in text.splitlines() if re.match(r"# [a-z0-9_]+ = ", line)]
    whole = "\n".join([text, *(line for line in commented if not line.startswith("ca_file"))])
    file = tmp_path / "agent.toml"
    file.write_text(whole.replace("/etc/arobase/gateway.credential", str(credential)))
    configuration = read(file)
    assert set(tomllib.loads(whole)) | {"ca_file"} == named_settings()
    assert "dhcp-option=114,https://portal.example.org/capport/gare" in render(configuration)


def named_settings() -> set[str]:
    """Every name that the agent's file may hold, by the agent's own reader."""
    source = (TOP / "gateways/nftables/configuration.py").read_text()
    return set(re.findall(r'self\._(?!take)\w+\(\s*"(\w+)"', source))


def test_routing_is_left_to_the_agent() -> None:
    settings = [
        line for line in (DEPLOY / "sysctl.conf").read_text().splitlines() if not line.startswith("#")
    ]
    assert not [line for line in settings if "forward" in line]


@pytest.mark.parametrize("page", ["real-site.md"])
def test_every_file_that_the_page_names_exists(page: str) -> None:
    text = (TOP / "docs" / page).read_text()
    for name in re.findall(r"deploy/[\w./-]+\w", text):
        assert (TOP / name).exists(), name
    assert (TOP / "docs" / "sites.md").exists()


def test_the_command_line_of_a_site_reads_settings_as_systemd_does(tmp_path: Path) -> None:
    """Without D-Bus, from a folder of its own, and without letting a shell look into a value."""
    settings = tmp_path / "portal.env"
    settings.write_text(
        "# a note\nAROBASE_PORTAL_URL=https://portal.example.org\n"
        "AROBASE_SECRET_KEY=Zq3vT8-kx1Lw0_mJr5Yh7Bn2Pc9Fd4Gs6Ua\n"
        f"AROBASE_DATABASE_URL=sqlite:///{tmp_path}/town.sqlite3\n"
        f'AROBASE_TOWN="Saint-Claude $(touch looked)"\nAROBASE_CONTACT=wifi@example.org'
    )
    me = pwd.getpwuid(os.geteuid()).pw_name
    environ = {"PATH": os.environ["PATH"], "PORTAL_ENV": str(settings), "PORTAL_USER": me}
    command = [str(DEPLOY / "arobase"), "db", "upgrade"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "town.sqlite3").exists() and not (tmp_path / "looked").exists()
    missing = {**environ, "PORTAL_ENV": str(tmp_path / "none")}
    answer = subprocess.run(command, env=missing, capture_output=True, text=True, check=False)
    assert answer.returncode == 1 and "none cannot be read" in answer.stderr


def test_the_front_is_made_without_reading_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificate and key are for root alone, and the command runs as the portal's user."""
    key = tmp_path / "portal.key"
    key.touch(mode=0o600)
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) != str(key)
    )  # as for another user than root
    assert FILE.convert(str(key), None, None) == key


def test_half_a_virtual_environment_is_made_anew(tmp_path: Path) -> None:
    """python3 without python3-venv leaves an interpreter and no pip behind."""
    shutil.copy(TOP / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    done = subprocess.run(
        [program("make"), "setup", f"PYTHON={sys.executable}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".venv/bin/.ready").exists()
