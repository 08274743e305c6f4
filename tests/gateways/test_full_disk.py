"""A state directory that is full, read-only or gone again: the gateway serves from memory, says so, and heals."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateways.nftables.journal import Journal
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_journal import STAMP, numbered
from tests.gateways.traffic import reaches

pytestmark = pytest.mark.netns
FULL = "dd if=/dev/zero of={0}/filler bs=4096 2>/dev/null; true"
FAULTS = {
    "full": (FULL, "rm -f {0}/filler"),
    "read-only": ("mount -o remount,ro {0}", "mount -o remount,rw {0}"),
}


def shell(spot: Hotspot, line: str) -> None:
    spot.net.gateway.ns.run(["sh", "-c", line.format(spot.agent.settings["state_directory"])])


def small_disk(spot: Hotspot) -> None:
    """256 kB for the agent's state, in the mount namespace of the gateway."""
    shell(spot, "mkdir -p {0} && mount -t tmpfs -o size=256k none {0}")


def faults(report: dict[str, object]) -> list[object]:
    answer = report.get("faults", [])
    assert isinstance(answer, list)
    return [each["code"] for each in answer]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_disk_that_fails_ends_nothing_and_is_told(tmp_path: Path, fault: str) -> None:
    spoil, mend = FAULTS[fault]
    with hotspot(tmp_path, phones=2, start=False) as spot:
        ada, bo = spot.net.phone
        small_disk(spot)
        spot.agent.start()
        spot.portal.grant(17, ada, 600)
        spot.portal.wait_confirmed(17)
        if fault == "read-only":
            # While a file is open for writing, only a failing disk becomes so.
            spot.agent.kill()
        shell(spot, spoil)
        if fault == "read-only":
            spot.agent.start()
        spot.portal.grant(18, bo, 600)
        # More than goes into the page that a full disk has begun.
        crowd = {
            n: {**spot.portal.grants[18], "number": n, "client": f"02:00:00:00:01:{n:02x}"}
            for n in range(40, 90)
        }
        spot.portal.change({n: {**row, "addresses": []} for n, row in crowd.items()})
        spot.portal.wait_confirmed(89)
        spot.portal.wait_report(lambda report: "disk" in faults(report))
        assert reaches(spot.net, ada) and reaches(spot.net, bo)
        assert len([line for line in spot.agent.lines if "serving from memory" in line]) == 1
        # A start on such a disk serves too, and its reports are newer than all before.
        before = spot.portal.reports[-1]
        spot.agent.kill()
        spot.agent.start()
        after = spot.portal.wait_report(lambda report: "disk" in faults(report))
        assert after["epoch"] == before["epoch"] and after["sequence"] > before["sequence"]
        until(lambda: spot.agent.leases().keys() >= {17, 18})
        shell(spot, mend)
        spot.portal.wait_report(lambda report: "disk" not in faults(report))
        spot.agent.wait_line("over: the journal cannot be written")
        spot.agent.kill()
        # What came while the disk was full is in the file now.
        shell(spot, f"cp {{0}}/journal.jsonl {tmp_path}/")
        recalled = Journal(tmp_path)
        recalled.close()
        assert recalled.memory.grants.keys() >= {17, 18}


def test_a_line_that_a_full_disk_tore_is_made_good(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(numbered(2, 17), STAMP)
    # As a disk does that has room for a part of it.
    assert journal._file is not None
    journal._file.write(b'{"answer":{"vers')
    journal._lose(OSError(28, "No space left on device"))
    assert journal.fault
    journal.record(numbered(3, 18), STAMP)
    assert journal.fault is None
    journal.close()
    again = Journal(tmp_path)
    again.close()
    assert (again.memory.version, set(again.memory.grants)) == (3, {17, 18})
