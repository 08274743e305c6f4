from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.doors import OPEN
from lab.namespace import NoNamespaces, dying_with_us
from lab.run import demand_ipv6
from tests.services.parts import free_port, program
from tests.services.town import opened

pytestmark = pytest.mark.netns
TOP = Path(__file__).resolve().parents[2]


@contextmanager
def running(folder: Path, port: int, *before: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m lab.run`, ended by Ctrl-C if the test has not done so, and by the kernel if we are killed."""
    command = [*before, sys.executable, "-m", "lab.run", "--folder", str(folder), "--port", str(port)]
    with subprocess.Popen(
        dying_with_us(command), cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as lab:
        try:
            yield lab
        finally:
            if lab.poll() is None:
                lab.send_signal(signal.SIGINT)
                lab.wait(30)


def read_until(lab: subprocess.Popen[str], words: str) -> str:
    assert lab.stdout is not None
    said = ""
    for line in lab.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended: {said}")


def programs_of(session_leaders: Sequence[str]) -> list[int]:
    """The processes whose command line holds one of these words."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if any(word in line for word in session_leaders):
            found.append(int(folder.name))
    return found


def in_phone(folder: Path, *lines: str) -> str:
    """What the phone's shell says to these lines, typed in another folder than ours."""
    done = subprocess.run(
        [sys.executable, "-m", "lab.phone", "--folder", str(folder)],
        cwd=TOP,
        input="\n".join(["cd /", *lines, "exit", ""]),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "SHELL": "/bin/sh"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def every_command_of_the_greeting_works(folder: Path) -> None:
    own, probe, browser, *walks = re.findall(r"^    (.+)$", in_phone(folder), re.MULTILINE)
    addresses = in_phone(folder, own)
    assert "wlan0" in addresses and "default via 10.66.1.1" in addresses
    assert re.search(
        r"^HTTP/1.1 302 .*^Location: https://", in_phone(folder, probe), re.MULTILINE | re.DOTALL
    )
    profile = browser.replace("/tmp/phone-profile", str(folder / "profile"))
    page = in_phone(folder, f"{profile} --headless --dump-dom")
    # The first page over HTTPS, of a server that nobody else trusts.
    assert 'action="/signin"' in page
    asked = "echo 'ip -4 -brief address show dev wlan0'"
    walked = in_phone(folder, *(f"{asked} | {walk}" for walk in walks))
    assert re.findall(r"\b10\.66\.([0-9]+)\.", walked) == [str(number) for number in range(len(OPEN))]
    assert len(walks) == len(OPEN)


def test_the_hotspot_runs_until_ctrl_c_and_leaves_nothing(tmp_path: Path) -> None:
    for name in ("dnsmasq", "curl", "chromium"):
        program(name)
    with opened():
        pass
    port = free_port()
    with running(tmp_path, port) as lab:
        assert "make phone" in read_until(lab, "Ctrl-C ends it")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            assert page.status == 200
        phone = subprocess.run(
            [sys.executable, "-m", "lab.phone", "grande-bibliotheque", "--folder", str(tmp_path)],
            cwd=TOP,
            input="ip -4 -brief address show dev wlan0; exit\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            env={**os.environ, "SHELL": "/bin/sh"},
        )
        assert "10.66.1." in phone.stdout, phone.stderr
        every_command_of_the_greeting_works(tmp_path)
        keepers = [os.pidfd_open(pid) for pid in json.loads((tmp_path / "lab.json").read_text()).values()]
        lab.send_signal(signal.SIGINT)
        assert lab.stdout is not None
        assert "Stopped" in lab.stdout.read()
        assert lab.wait(30) == 0
        for keeper in keepers:
            assert select.select([keeper], [], [], 5)[0], "a namespace outlived the lab"
            os.close(keeper)
    assert not (tmp_path / "lab.json").exists()
    assert not programs_of([str(tmp_path)])


def test_a_second_one_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running(tmp_path, free_port()) as lab:
            assert "it runs already" in read_until(lab, "cannot run")
            assert lab.wait(10) == 3


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with running(tmp_path, port) as lab:
            assert f"port {port} is taken" in read_until(lab, "cannot run")
            assert lab.wait(10) == 3


def test_where_namespaces_cannot_be_had_it_says_so_and_runs_the_portal_alone(tmp_path: Path) -> None:
    setpriv = program("setpriv")
    if os.geteuid() != 0:
        pytest.skip("only root can take a capability away")
    port = free_port()
    with running(tmp_path, port, setpriv, "--bounding-set=-sys_admin", "--") as lab:
        said = read_until(lab, "Ctrl-C ends it")
        assert said.startswith("No live hotspot here: ")
        assert len(said.splitlines()) == 6 and f"http://127.0.0.1:{port}/staff" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
            # This machine's own browser plays the phone: it is offered the way in.
            assert 'action="/pause' in page.read().decode()


def test_a_second_one_is_told_so_whatever_its_port(tmp_path: Path) -> None:
    """Who has the folder has the port: "the port is taken" would send people to another port in vain."""
    with socket.create_server(("127.0.0.1", 0)) as server, (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running(tmp_path, server.getsockname()[1]) as lab:
            assert "it runs already" in read_until(lab, "cannot run")


def test_where_the_kernel_has_no_ipv6_there_is_a_reason_and_no_hotspot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lab.run.has_ipv6", lambda: False)
    with pytest.raises(NoNamespaces, match="no IPv6"):
        demand_ipv6()


def test_without_a_hotspot_there_is_no_phone(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "lab.phone", "--folder", str(tmp_path)],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 3
    assert "make run" in answer.stderr
