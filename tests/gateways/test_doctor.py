"""The gateway's doctor, on gateways that are ready and on those that are not."""

from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateways.nftables.configuration import read
from gateways.nftables.dnsmasq import render
from gateways.nftables.doctor import (
    FAULT,
    GOOD,
    WARNING,
    check_agent,
    check_kernel,
    check_portal,
    check_resolver,
)
from tests.gateways.hotspot import Hotspot, hotspot
from tests.gateways.test_configuration import written
from tests.gateways.test_line_to_portal import portal
from tests.services.certificates import Authority, self_signed
from tests.services.parts import program

pytestmark = pytest.mark.netns
ROOT = Path(__file__).parent.parent.parent


def look(spot: Hotspot, directory: Path) -> tuple[int, str]:
    process = spot.net.gateway.ns.python(
        "-m", "gateways.nftables.doctor", str(directory / "agent.toml"),
        "--dnsmasq", str(directory / "dnsmasq.conf"),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    result = process.communicate(timeout=60)[0]
    return process.returncode, result


def test_a_gateway_that_works_has_no_fault_and_each_thing_that_breaks_is_told(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        file = tmp_path / "dnsmasq.conf"
        file.write_text(render(read(tmp_path / "agent.toml"), servers=[ipaddress.ip_address("203.0.113.1")]))
        status, result = look(spot, tmp_path)
        assert (status, "fault\t" in result) == (0, False), result
        assert (
            "answers this gateway" in result and "lan0 is up" in result and f"{file} is made from" in result
        )
        file.write_text(file.read_text().replace("no-ping\n", ""))
        spot.net.gateway.ns.set_kernel({"net/ipv4/ip_forward": "0"})
        spot.net.gateway.ns.ip("address flush dev lan0", "link set lan0 down")
        (tmp_path / "credential").write_text("a-credential-that-is-nobodys")
        status, result = look(spot, tmp_path)
        assert status == 1
        for words in (
            f"{file} is not made from",
            "net.ipv4.ip_forward is off",
            "lan0 is down: ip link set lan0 up",
            "lan0 has no address in 10.66.",
            "the portal does not know the credential",
        ):
            assert f"fault\t{words}" in result, result
        spot.portal.stop()
        spot.agent.kill()
        status, result = look(spot, tmp_path)
        assert "does not answer as it should" in result and "no agent works on this machine" in result


def test_clients_are_told_another_address_for_the_portal(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        named = replace(read(tmp_path / "agent.toml"), portal_url="https://portal.example.org")
        gateway = spot.net.gateway.ns

        def found() -> list[tuple[str, str]]:
            return gateway.call(lambda: list(check_resolver(named)))

        assert {severity for severity, _ in found()} == {FAULT} and "does not answer names" in found()[0][1]
        file = tmp_path / "dnsmasq.conf"
        file.write_text(render(named, servers=[ipaddress.ip_address("203.0.113.1")]))
        process = gateway.popen(
            [program("dnsmasq"), "-k", f"--conf-file={file}", "--user=root", "--log-facility=-"],
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        next(line for line in process.stderr if b"cleared cache" in line or b"using nameserver" in line)
        assert {severity for severity, _ in found()} == {GOOD}, found()
        named = replace(named, portal_addresses=(ipaddress.ip_address("203.0.113.99"),))
        assert all(severity == FAULT and "says otherwise" in result for severity, result in found())


def test_every_fault_of_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('gateway = "Gare"\nclient_interfaces = "lan0"\n')
    done = subprocess.run(
        [sys.executable, "-m", "gateways.nftables.doctor", str(file)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and not done.stderr
    assert "client_interfaces is not a setting" in done.stdout and "portal_url is missing" in done.stdout


def test_settings_of_the_kernel_that_are_too_small_are_told(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        spot.agent.start()
        configuration = read(tmp_path / "agent.toml")
    for setting, value in (
        ("net/ipv4/ip_forward", 1),
        ("net/ipv6/conf/all/forwarding", 0),
        ("net/ipv4/neigh/default/gc_thresh3", 1024),
        ("net/ipv6/neigh/default/gc_thresh3", 32768),
        ("net/core/wmem_default", 212992),
        ("net/ipv6/conf/lan0/accept_dad", 1),
    ):
        (tmp_path / setting).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / setting).write_text(f"{value}\n")
    result = list(check_kernel(configuration, system=tmp_path))
    assert [severity for severity, _ in result] == [FAULT, WARNING, WARNING, WARNING]
    words = (
        "ipv6.conf.all.forwarding is off",
        "ipv4.neigh.default.gc_thresh3 is 1024",
        "net.core.wmem_default is 212992",
        "accept_dad is 1",
    )
    assert all(word in sentence for (_, sentence), word in zip(result, words, strict=True)), result


def test_an_agent_that_is_not_the_units_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text("#!/bin/sh\necho inactive\n")
    systemctl.chmod(0o755)
    with hotspot(tmp_path / "spot") as spot:
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        found = spot.net.gateway.ns.call(lambda: list(check_agent(booted=tmp_path)))
    assert [severity for severity, _ in found] == [FAULT] and "an agent works here that is not" in found[0][1]


def answer_at(now: float) -> bytes:
    body = json.dumps({"version": 1, "full": True, "now": now, "grants": [], "ends": []})
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "severity", "words"),
    [
        (0.0, GOOD, "answers this gateway"),
        (-3600.0, WARNING, "seconds from the portal's"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", FAULT, "does not know the credential"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", FAULT, "answered 502"),
    ],
    ids=["well", "clock", "credential", "broken"],
)
def test_the_portal_is_asked_over_tls(
    tmp_path: Path, answer: bytes | float, severity: str, words: str
) -> None:
    """`answer` is the portal's, or how far its clock is from ours."""
    authority = Authority(tmp_path)
    if isinstance(answer, float):
        answer = answer_at(time.time() + answer)
    with portal(answer, certificate=authority.issue("localhost")) as there:
        configuration = replace(
            read(written(tmp_path)),
            portal_url=f"https://localhost:{there.port}",
            ca_file=authority.ca_file,
        )
        last_severity, last = list(check_portal(configuration))[-1]
    assert (last_severity, words in last) == (severity, True), last


@pytest.mark.parametrize("fault", ["unknown authority", "wrong name", "expired", "self-signed", "plain"])
def test_a_portal_that_cannot_prove_itself_is_a_fault_with_its_reason(tmp_path: Path, fault: str) -> None:
    authority = Authority(tmp_path)
    certificate, words = {
        "unknown authority": (
            Authority(tmp_path, "Somebody else").issue("localhost", label="foreign"),
            "certificate verify failed",
        ),
        "wrong name": (authority.issue("portal.example.org", label="other"), "Hostname mismatch"),
        "expired": (
            authority.issue("localhost", label="old", ends_in=-timedelta(hours=1)),
            "certificate has expired",
        ),
        "self-signed": (self_signed(tmp_path, "localhost"), "self-signed certificate"),
        "plain": (None, "SSL"),
    }[fault]
    with portal(answer_at(time.time()), certificate=certificate) as there:
        configuration = replace(
            read(written(tmp_path)),
            portal_url=f"https://localhost:{there.port}",
            ca_file=authority.ca_file,
        )
        [(severity, result)] = check_portal(configuration)
    assert severity == FAULT
    assert f"{configuration.portal_url} does not answer as it should" in result and words in result
    assert b"Bearer" not in there.heard
