"""One network namespace, kept by one process, with a mount namespace of its own.

Root is needed, or a user namespace in which we are root: see `become_root`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

T = TypeVar("T")
# Debian keeps these where an ordinary user's PATH does not look.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
NEEDED = ("ip", "nft", "unshare", "nsenter", "setpriv")
CLONE_NEWNET = 0x40000000  # linux/sched.h
# Who was orphaned before the kernel knew its wish must not begin: its parent is asked for once more.
UNLESS_ORPHANED = '[ "$PPID" = "$0" ] && exec "$@"'
# Without duplicate address detection an IPv6 address can be used at once (RFC 4862 section 5.4).
KEEP = (
    "ip link set lo up; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; "
    "echo 0 >/proc/sys/net/ipv6/conf/default/dad_transmits; echo ready; exec sleep infinity"
)
GRACE_SECONDS = 5.0
_libc = ctypes.CDLL(None, use_errno=True)


class NoNamespaces(Exception):
    """No network namespaces with nftables on this machine, or for this user. The text is one line."""


def demand_namespaces(*programs: str) -> None:
    """Raise `NoNamespaces` unless a namespace with nftables, and `programs`, can be had here, as this user."""
    lacking = [name for name in (*NEEDED, *programs) if shutil.which(name, path=SEARCH_PATH) is None]
    if lacking:
        names = ", ".join(lacking)
        raise NoNamespaces(f"{names}: not installed")
    if os.geteuid() != 0:
        raise NoNamespaces("network namespaces need root, or a user namespace (see python -m lab.run)")
    trial = subprocess.run(
        ["unshare", "--net", "--mount", "nft", "add table inet trial; delete table inet trial"],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    if trial.returncode != 0:
        reason = (trial.stderr.strip() or "no reason given").splitlines()[0]
        raise NoNamespaces(f"a network namespace with nftables cannot be had here: {reason}")


def become_root() -> None:
    """Where we are not root, begin this program again in a user namespace in which we are.

    Raises `NoNamespaces` where the kernel or its administrator forbids it. The host's network stays in view:
    only the namespaces made later have networks of their own.
    """
    if os.geteuid() == 0:
        return
    unshare = shutil.which("unshare", path=SEARCH_PATH)
    prefix = [unshare or "unshare", "--user", "--map-root-user", "--mount"]
    if unshare is None or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        raise NoNamespaces("not root, and this kernel gives no user namespaces to ordinary users")
    _again([*prefix, sys.executable, *sys.orig_argv[1:]])


def _again(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    os.execv(command[0], command)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment with a PATH on which Debian's servers are found."""
    return {**os.environ, "PATH": SEARCH_PATH, **(extra or {})}


def dying_with_us(command: Sequence[str]) -> list[str]:
    """`command`, so that the kernel kills it when the thread that starts it dies, whatever killed us (prctl(2))."""
    armed = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", UNLESS_ORPHANED, str(os.getpid())]
    return [*armed, *command]


def contained(command: Sequence[str]) -> list[str]:
    """`command` in a process namespace of its own: when it is killed, so is all that it started (pid_namespaces(7))."""
    return ["unshare", "--pid", "--fork", "--kill-child", "--", *command]


class Inside:
    """A network namespace that somebody keeps: `pid` is a process in it."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid
        self._running: list[subprocess.Popen[Any]] = []

    def command(self, args: Sequence[str], *, cwd: Path | None = None) -> list[str]:
        """`args` as they must be run from outside to run in here, in our working directory or in `cwd`."""
        # Entering a mount namespace leads to its root directory, which in a chroot is not ours: hence -r.
        folder = ["env", f"--chdir={cwd or Path.cwd()}"]
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-r", "--", *folder, *args]

    def run(
        self, args: Sequence[str], *, check: bool = True, timeout: float = 30, **rest: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; its output is kept as text."""
        rest.setdefault("env", environment())
        if "stdout" not in rest:
            rest.setdefault("capture_output", True)
        try:
            return subprocess.run(self.command(args), check=check, timeout=timeout, text=True, **rest)
        except subprocess.CalledProcessError as error:
            error.add_note(f"in {self.name}: {error.stderr}")
            raise

    def popen(self, args: Sequence[str], *, cwd: Path | None = None, **rest: Any) -> subprocess.Popen[Any]:
        """Start a program that ends with the namespace. Its pid is its own; it leads a process group."""
        rest.setdefault("env", environment())
        process = subprocess.Popen(dying_with_us(self.command(args, cwd=cwd)), start_new_session=True, **rest)
        self._running.append(process)
        return process

    def python(self, *args: str, **rest: Any) -> subprocess.Popen[Any]:
        """Start our own interpreter in here, from the top of the checkout: `python("-m", "lab.internet")`."""
        return self.popen([sys.executable, *args], cwd=Path(__file__).resolve().parent.parent, **rest)

    def ip(self, *lines: str) -> None:
        """Carry out lines of ip(8), all in one process."""
        self.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n")

    def set_kernel(self, values: Mapping[str, str]) -> None:
        """Write settings below /proc/sys of this namespace."""

        def write() -> None:
            for name, value in values.items():
                Path("/proc/sys", name).write_text(value, encoding="ascii")

        self.call(write)

    def resolve_with(self, resolver: object) -> None:
        """Have programs in here ask `resolver`, an address, for names. Nobody else's resolv.conf changes."""
        script = """
            umount "$2" 2>/dev/null
            f=$(mktemp) && echo "nameserver $1" >"$f" && chmod 644 "$f" && mount --bind "$f" "$2" && rm "$f"
        """
        self.run(["sh", "-c", script, "sh", str(resolver), str(Path("/etc/resolv.conf").resolve())])

    def call(self, function: Callable[[], T]) -> T:
        """Run `function` in a thread that has entered, and give its result. A socket made so stays inside."""
        results: list[T] = []
        errors: list[BaseException] = []

        def enter() -> None:
            try:
                with Path(f"/proc/{self.pid}/ns/net").open("rb") as namespace:
                    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), f"cannot enter the namespace {self.name}")
                results.append(function())
            except BaseException as error:
                # It is raised again in the caller's thread, where it can be seen.
                errors.append(error)

        thread = threading.Thread(target=enter, name=self.name)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return results[0]

    def socket(self, family: int = socket.AF_INET, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket of this namespace, for use from outside of it."""
        return self.call(lambda: socket.socket(family, kind))


class Namespace(Inside):
    """A network namespace of our own. Everything started in it ends with it."""

    def __init__(self, name: str) -> None:
        # The kernel ends the keeper when our thread dies, whatever killed it: nothing outlives the lab.
        self._keeper = subprocess.Popen(
            dying_with_us(["unshare", "--net", "--mount", "sh", "-c", KEEP]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            start_new_session=True,
        )
        super().__init__(name, self._keeper.pid)
        assert self._keeper.stdout is not None
        if self._keeper.stdout.readline().strip() != "ready":
            raise NoNamespaces(f"namespace {name}: {self._keeper.communicate()[1].strip()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all that was started in it, then the namespace itself."""
        for process in reversed(self._running):
            stop(process)
        self._keeper.kill()
        self._keeper.communicate()


def stop(process: subprocess.Popen[Any]) -> None:
    """End a program that leads its process group, kindly first, and whatever it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
