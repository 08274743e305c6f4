"""The DHCP server's lease file: lost, emptied, torn or replaced, while the agent runs and while it starts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateways.nftables.lease_file import PATIENCE_SECONDS, LeaseFile
from lab.network import Phone
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_full_disk import faults
from tests.gateways.test_neighbour_spoofing import listening, nothing_answers, permanent, pretend

ADA, BO = "02:00:00:00:00:01", "02:00:00:00:00:02"
NO_PATIENCE = "from gateways.nftables import lease_file; lease_file.PATIENCE_SECONDS = 0.0"


def line(mac: str, address: str) -> str:
    return f"1900000000 {mac} {address} * *\n"


def macs(file: LeaseFile) -> set[str] | None:
    """Whose leases the file tells, as the agent takes them; None where it tells nothing new."""
    found = file.read()
    if found is None:
        return None
    file.accept()
    return {each.mac for each in found}


@pytest.fixture
def known(tmp_path: Path) -> tuple[Path, LeaseFile]:
    """A file with one lease that was read."""
    path = tmp_path / "leases"
    path.write_text(line(ADA, "10.66.0.5"))
    file = LeaseFile(path)
    assert macs(file) == {ADA}
    return path, file


def test_it_is_read_when_it_has_changed_and_not_otherwise(known: tuple[Path, LeaseFile]) -> None:
    path, file = known
    assert macs(file) is None
    path.write_text(line(ADA, "10.66.0.5") + line(BO, "10.66.0.6"))
    # What could not be carried out is read again.
    assert file.read() is not None
    assert macs(file) == {ADA, BO}
    assert macs(file) is None


def test_a_list_that_is_being_written_is_not_believed(known: tuple[Path, LeaseFile]) -> None:
    path, file = known
    whole = line(ADA, "10.66.0.5") + line(BO, "10.66.0.6")
    for torn in ("", whole[:10], whole[:60], whole[:-1]):
        path.write_text(torn)
        assert macs(file) is None, torn
    path.write_text(whole)
    assert macs(file) == {ADA, BO}


def test_a_list_that_grows_while_it_is_read_is_not_believed(tmp_path: Path) -> None:
    """The pieces may end with a line each: what stood there before the reading and after it must be the same."""
    path = tmp_path / "leases"
    os.mkfifo(path)
    file = LeaseFile(path)

    def write_on(text: str) -> int:
        # A reader of a pipe waits for its writer; meanwhile the file at this place is another one.
        child = os.fork()
        if child == 0:
            with path.open("w") as pipe:
                path.unlink()
                path.write_text(text + line(BO, "10.66.0.6"))
                pipe.write(text)
            os._exit(0)
        return child

    child = write_on(line(ADA, "10.66.0.5"))
    assert macs(file) is None
    os.waitpid(child, 0)
    assert macs(file) == {ADA, BO}


def test_an_empty_list_counts_at_the_second_look(known: tuple[Path, LeaseFile]) -> None:
    path, file = known
    path.write_text("")
    assert macs(file) is None
    assert macs(file) == set()
    assert macs(file) is None


def test_a_file_in_its_place_is_read_however_alike_it_is(known: tuple[Path, LeaseFile]) -> None:
    path, file = known
    before = path.stat()
    other = path.with_suffix(".new")
    other.write_text(line(BO, "10.66.0.5"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert macs(file) == {BO}


def test_one_that_was_there_is_missed_at_once_and_another_after_a_while(
    known: tuple[Path, LeaseFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = known
    path.unlink()
    assert macs(file) is None and file.is_missing
    path.write_text(line(BO, "10.66.0.6"))
    assert macs(file) == {BO} and not file.is_missing
    never = LeaseFile(path.with_name("never"))
    assert PATIENCE_SECONDS > 0
    assert macs(never) is None and not never.is_missing
    monkeypatch.setattr("gateways.nftables.lease_file.PATIENCE_SECONDS", 0.0)
    assert macs(never) is None and never.is_missing


def is_shut_out(spot: Hotspot, phone: Phone) -> bool:
    return all(nothing_answers(spot, phone, 4) for _ in range(3))


def delete(path: Path) -> None:
    path.unlink()


def tear(path: Path) -> None:
    with path.open("r+") as file:
        file.truncate(20)


@pytest.mark.netns
@pytest.mark.parametrize("lose", [delete, tear])
def test_a_lost_file_takes_nobodys_address_with_it(tmp_path: Path, lose: Callable[[Path], None]) -> None:
    leases = tmp_path / "dnsmasq.leases"
    with hotspot(tmp_path, phones=2, dhcp_leases_file=str(leases)) as spot, listening(spot, 4):
        ada, bo = spot.net.phone
        address = str(ada.address(4))
        leases.write_text(line(ada.mac, address))
        until(lambda: address in permanent(spot))
        pretend(spot, bo, 4, address)
        lose(leases)
        for turn in ("running", "restarted"):
            if turn == "restarted":
                spot.agent.kill()
                spot.agent.start(prelude=NO_PATIENCE)
            if lose is delete:
                spot.portal.wait_report(lambda report: "leases_file" in faults(report))
                assert len([each for each in spot.agent.lines if "lease file is gone" in each]) == 1
            # Ada has no grant: her address is hers by the list alone, whose last whole word counts.
            assert address in permanent(spot)
            assert is_shut_out(spot, bo)
        # A new list is the whole truth again.
        leases.write_text(line(bo.mac, address))
        spot.portal.wait_report(lambda report: "leases_file" not in faults(report))
        until(lambda: f"{address} lladdr {bo.mac}" in permanent(spot))


@pytest.mark.netns
def test_an_emptied_file_gives_every_address_back(tmp_path: Path) -> None:
    leases = tmp_path / "dnsmasq.leases"
    with hotspot(tmp_path, phones=1, dhcp_leases_file=str(leases)) as spot:
        ada = spot.net.phone[0]
        leases.write_text(line(ada.mac, str(ada.address(4))))
        until(lambda: str(ada.address(4)) in permanent(spot))
        leases.write_text("")
        until(lambda: str(ada.address(4)) not in permanent(spot))
        assert not any("lease file" in each for each in spot.agent.lines)
