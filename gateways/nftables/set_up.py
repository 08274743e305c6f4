"""The lines of the agent's settings that follow from the portal's record: the rest is known on that machine alone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from gateways.set_up import MASK, Lines, SetUp

SETTINGS, CREDENTIAL = "/etc/arobase/agent.toml", "/etc/arobase/gateway.credential"
AGENT_TOML = """\
portal_url = {portal_url}
gateway = {gateway}
client_prefixes = {client_prefixes}
# The file that `gateways add` or `gateways rotate` wrote with --credential-file: nobody can show that credential again.
credential_file = "/etc/arobase/gateway.credential"
# The card with the access points, and the card with the Internet: see `ip link` there.
client_interface = "lan0"
uplink_interface = "wan0"
# Every address that {host} has, as clients reach it: ["10.66.0.1", "fd66::1"]
portal_addresses = []
"""


def set_up(*, identity: str, portal_url: str, client_prefixes: Sequence[str]) -> SetUp:
    """The agent's settings, to be completed there. No secret is in them: of the credential there is a digest alone."""
    text = AGENT_TOML.format(
        portal_url=json.dumps(portal_url),
        gateway=json.dumps(identity),
        client_prefixes=json.dumps(list(client_prefixes)),
        host=urlsplit(portal_url).hostname,
    )
    return SetUp((Lines(SETTINGS, text),), commands=_commands(identity, portal_url, client_prefixes))


def _commands(identity: str, portal_url: str, client_prefixes: Sequence[str]) -> tuple[str, str]:
    """For root's shell on a machine that has the software in /opt/arobase: the credential, then everything else."""
    prefixes = " ".join(f"--prefix {prefix}" for prefix in client_prefixes)
    program = f".venv/bin/python -m gateways.nftables.enrol {shlex.quote(portal_url)} {identity} {prefixes}"
    return (
        f"install -D -m 600 /dev/stdin {CREDENTIAL} <<< '{MASK}'",
        f"cd /opt/arobase && {program} --start",
    )
