from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateways.nftables.configuration import InvalidConfiguration, read


def written(directory: Path, **changes: Any) -> Path:
    credential = directory / "credential"
    credential.write_text("a-credential-of-this-gateway\n")
    settings: dict[str, Any] = {
        "portal_url": "https://portal.example.org:8443/",
        "gateway": "gare-viotte",
        "credential_file": str(credential),
        "client_interface": "lan0",
        "uplink_interface": "wan0",
        "client_prefixes": ["10.66.0.0/24", "fd66::/64"],
        "portal_addresses": ["203.0.113.2"],
        **changes,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if value is not None]
    path = directory / "agent.toml"
    path.write_text("\n".join(lines))
    return path


def test_it_reads_a_gateway_with_everything_else_by_default(tmp_path: Path) -> None:
    found = read(written(tmp_path))
    assert found.portal_url == "https://portal.example.org:8443"
    assert found.portal_ports == (80, 443, 8443)
    assert (found.resolver_port, found.redirector_port, found.report_seconds) == (53, 8081, 10.0)
    assert (found.masquerade, found.masquerade_ipv6, found.uplink_tcp_ports) == (True, False, (22,))


def test_no_port_of_the_gateway_need_be_open(tmp_path: Path) -> None:
    assert read(written(tmp_path, uplink_tcp_ports=[])).uplink_tcp_ports == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"portal_url": "portal.example.org"}, "portal_url"),
        ({"portal_url": None}, "portal_url"),
        ({"gateway": "Gare; flush ruleset"}, "gateway"),
        ({"credential_file": "/nowhere"}, "credential_file"),
        ({"client_interface": 'lan0" accept'}, "client_interface"),
        ({"uplink_interface": "lan0"}, "two interfaces"),
        ({"client_prefixes": []}, "client_prefixes"),
        ({"client_prefixes": ["10.66.0.1/24"]}, "client_prefixes"),
        ({"portal_addresses": ["portal.example.org"]}, "portal_addresses"),
        ({"ca_file": "/nowhere"}, "ca_file"),
        ({"ntp_servers": "203.0.113.1"}, "ntp_servers"),
        ({"resolver_port": 0}, "resolver_port"),
        ({"resolver_port": True}, "resolver_port"),
        ({"redirector_port": 443}, "redirector_port"),
        ({"report_seconds": 0}, "report_seconds"),
        ({"masquerade": 1}, "masquerade"),
        ({"uplink_tcp_ports": [70000]}, "uplink_tcp_ports"),
        ({"portal_adresses": []}, "portal_adresses"),
        ({"translated_addresses": ["203.0.113.7"]}, "translated_addresses"),
        ({"translated_addresses": ["203.0.113.7 = fd66::1"]}, "translated_addresses"),
        ({"translated_addresses": [17]}, "translated_addresses"),
    ],
)
def test_it_names_what_is_wrong(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        read(written(tmp_path, **change))
    assert any(named in fault for fault in refused.value.faults)


def test_a_short_credential_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "credential").write_text("secret")
    with pytest.raises(InvalidConfiguration):
        read(path)


def test_the_agent_tells_all_faults_at_once_and_leaves_with_2(tmp_path: Path) -> None:
    path = written(tmp_path, portal_url=None, gateway="Gare", resolver_port=0, colour="blue")
    agent = [sys.executable, "-m", "gateways.nftables.agent", "--config", str(path)]
    ended = subprocess.run(agent, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in ("portal_url", "gateway", "resolver_port", "colour"))
    assert "a-credential-of-this-gateway" not in ended.stderr
