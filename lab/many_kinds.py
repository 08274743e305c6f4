"""A hotspot whose gateways are of several kinds: our agent, openNDS, and a UAM gateway behind FreeRADIUS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lab import freeradius, uam_box
from lab.doors import Door
from lab.hotspot import AGENTS, PORTAL_HOST, Hotspot
from lab.network import (
    FIRST_GATEWAY,
    PORTAL,
    Gateway,
    Town,
    client_address,
    client_prefix,
    outside_address,
    town,
)
from lab.opennds import FasPortal, OpenNds
from lab.waiting import await_port
from portal.app import create_app
from portal.cli.nginx import GATEWAYS
from portal.cli.radius_config import SHARED_SECRET, nas_of
from portal.gateway_api.endpoints import endpoint_of
from portal.gateway_api.secrets import secret_of
from portal.gateway_api.uam import UAMSECRET, uamserver_of
from sites.models import Gateway as Record

OPENNDS, OPENNDS_CARRIED, UAM = "opennds", "opennds_carried", "coovachilli"
PORTAL_PORT = 443


def opennds_door(identity: str, site: str, network: str, *, level: str = "3", number: int = 0) -> Door:
    """A door with openNDS at this level of FAS. At levels 1 and 2 `number` is that of its gateway in the town."""
    options = {
        "level": level,
        "interface": "lan0",
        "portal_address": str(outside_address(4, PORTAL)),
    }
    if level in ("3", "4"):
        return Door(identity, site, network, OPENNDS, options, translates=True)
    # Where browsers carry the word to.
    options["gateway_address"] = f"{client_address(4, number, 1)}:2050"
    return Door(identity, site, network, OPENNDS_CARRIED, options, translates=True)


def uam_door(number: int, identity: str, site: str, network: str) -> Door:
    """A door with the lab's UAM gateway. `number` is that of its gateway in the town."""
    options = {
        "nas_address": str(outside_address(4, FIRST_GATEWAY + number)),
        "nas_identifier": identity,
    }
    return Door(identity, site, network, UAM, options)


class ManyKinds(Hotspot):
    """The same portal, and behind it whatever the doors are of."""

    def __init__(self, net: Town, folder: Path, doors: Sequence[Door]) -> None:
        super().__init__(net, folder, doors)
        self.app = create_app(self.services)
        self.opennds: dict[int, OpenNds] = {}
        self._radius: subprocess.Popen[Any] | None = None
        self._boxes: dict[int, subprocess.Popen[Any]] = {}

    def start_gateway(self, gateway: Gateway) -> None:
        kind = self.door(gateway).kind
        if kind == AGENTS:
            super().start_gateway(gateway)
        elif kind == UAM:
            self._start_uam(gateway)
        else:
            self._start_opennds(gateway)

    def await_gateway(self, gateway: Gateway) -> None:
        kind = self.door(gateway).kind
        if kind == AGENTS:
            super().await_gateway(gateway)
        elif kind == UAM:
            process, log = self._boxes[gateway.number], self.folder / "log" / f"uam-{gateway.number}.log"
            await_port(gateway.ns, str(gateway.address(4)), uam_box.PORT, process, log)
        else:
            self.opennds[gateway.number].start()

    def record(self, gateway: Gateway) -> Record:
        """The gateway as the portal has it."""
        found = self.services.places.by_identity(self.door(gateway).identity)
        assert found is not None
        return found

    def _start_opennds(self, gateway: Gateway) -> None:
        portal = FasPortal(
            PORTAL_HOST, self.net.portal_address(4), PORTAL_PORT, self.papers.authority.certificate
        )
        box = OpenNds(self.net, gateway, portal=portal)
        with self.app.app_context():
            box.set_up(endpoint_of(self.door(gateway).kind).set_up(self.record(gateway)).lines)
        gateway.ns.set_kernel({"net/ipv4/ip_forward": "1"})
        # openNDS knows its clients by this file.
        box.write("tmp/misc/dnsmasq.leases", "")
        self._serve_dhcp(gateway, "/var/lib/misc/dnsmasq.leases")
        self.opennds[gateway.number] = box

    def _start_uam(self, gateway: Gateway) -> None:
        if self._radius is None:
            self._start_radius()
        record = self.record(gateway)
        with self.app.app_context():
            settings = uam_box.Settings(
                name=record.identity,
                uamserver=uamserver_of(record),
                uamsecret=secret_of(record, UAMSECRET),
                radius_server=str(self.net.portal_address(4)),
                radius_secret=secret_of(record, SHARED_SECRET),
                address=str(gateway.address(4)),
                clients=gateway.clients,
                portal=str(self.net.portal_address(4)),
            )
        place = self.folder / "gateways" / record.identity
        place.mkdir(parents=True, exist_ok=True)
        (place / "box.json").write_text(json.dumps(asdict(settings)), encoding="ascii")
        gateway.ns.set_kernel({"net/ipv4/ip_forward": "1"})
        self._serve_dhcp(gateway, str(place / "dhcp.leases"))
        name = f"uam-{gateway.number}"
        self._boxes[gateway.number] = gateway.ns.python(
            "-m", "lab.uam_box", str(place / "box.json"), stdout=self.log(name), stderr=subprocess.STDOUT
        )

    def _start_radius(self) -> None:
        with self.app.app_context():
            nas = nas_of(self.services.places.gateways())
        self._radius = freeradius.serve(
            self.net.portal,
            self.folder / "radius",
            portal=f"http://{GATEWAYS}",
            address=str(self.net.portal_address(4)),
            nas=nas,
            log=self.log("freeradius"),
        )

    def _serve_dhcp(self, gateway: Gateway, lease_file: str) -> None:
        """Addresses and names for clients, as any router has them."""
        prefix = client_prefix(4, gateway.number)
        self.run_dnsmasq(
            gateway.ns,
            f"dnsmasq-{gateway.number}",
            *("--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--interface={gateway.clients}"),
            f"--server={self.net.internet_address(4)}",
            f"--dhcp-range={prefix[20]},{prefix[200]},{prefix.netmask},1h",
            f"--dhcp-leasefile={lease_file}",
            "--dhcp-authoritative",
        )


@contextmanager
def many_kinds(folder: Path, doors: Sequence[Door], *, phones: int = 1) -> Iterator[ManyKinds]:
    """A hotspot for each of `doors`, with all phones at the first. Not started yet, as `lab.hotspot.hotspot`."""
    with town(phones=phones, gateways=len(doors), addressed=False, routing=False) as net:
        place = ManyKinds(net, folder, doors)
        try:
            yield place
        finally:
            place.close()
