"""A UniFi controller's session: signed in once for all its sites, and again where it has forgotten us.

Self-hosted Network applications and UniFi OS consoles take the same calls below different paths. A console also takes
an API key in place of a session. wire/*.txt holds the dialogues, each with its source.
"""

from __future__ import annotations

import email.utils
import json
import re
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from gateways.types import MacAddress
from gateways.unifi import answers
from gateways.unifi.answers import Guest, Station
from gateways.unifi.errors import ControllerError, Trouble
from gateways.unifi.transport import Address, Answer, Line

SITE = re.compile(r"[A-Za-z0-9_-]{1,64}")
# Whoever waits longer for the calls before theirs is told that it does not answer.
BUSY_SECONDS = 6.0
# After a failure nobody asks for so long. Recovery takes that long at most; many guests do not wait for one time-out
# each.
REST_SECONDS = 2.0
# A console locks an account for a while after a few wrong passwords, and answers 429.
LOGIN_REST_SECONDS = 30.0
LARGEST_CREDENTIAL_BYTES = 4096
MFA_WANTED = 499
NO_PERMISSION = "api.err.NoPermission"
# What asking again soon makes worse, and what says nothing of the other sites.
_ACCOUNT = frozenset({Trouble.LOGIN, Trouble.PERMISSION})
_OF_ONE_SITE = frozenset({Trouble.PERMISSION, Trouble.ANSWER})


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in, and the file with the password; without `username`, the file holds a console's API key."""

    username: str
    credential_file: str

    def credential(self) -> str:
        """The first line of the file, read anew at each sign-in. Raises `ControllerError`."""
        try:
            with Path(self.credential_file).open("rb") as file:
                text = file.read(LARGEST_CREDENTIAL_BYTES).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise ControllerError(
                Trouble.CREDENTIAL, f"cannot read {self.credential_file}: {type(error).__name__}"
            ) from error
        first = text.partition("\n")[0].strip()
        if not first or not first.isprintable():
            raise ControllerError(Trouble.CREDENTIAL, f"{self.credential_file} has no first line")
        return first

    @property
    def is_open_to_others(self) -> bool:
        """Whether accounts of the machine that are not the portal's may read the file."""
        try:
            return bool(Path(self.credential_file).stat().st_mode & stat.S_IRWXO)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Listed:
    """Who is authorized at a site, by MAC. `now` is the controller's clock when it said so, in whole seconds."""

    guests: dict[MacAddress, Guest]
    now: float


# What was asked and what came back, without any credential: for the operator's page.
Note = Callable[[str, str], None]


def unnoted(said: str, heard: str) -> None:
    """Where nobody wants to read the dialogue."""


class Controllers:
    """One session for each controller and account, whoever asks: sites of one controller share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[Address, Account], Controller] = {}

    def of(self, address: Address, account: Account) -> Controller:
        with self._lock:
            key = address, account
            if key not in self._open:
                self._open[key] = Controller(address, account)
            return self._open[key]

    def close(self) -> None:
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


class Controller:
    """Thread-safe; one call at a time goes out."""

    def __init__(self, address: Address, account: Account) -> None:
        self._account = account
        self._line = Line(address)
        self._lock = threading.Lock()
        self._prefix: str | None = None
        self._cookies: dict[str, str] = {}
        self._csrf = ""
        self._key = ""
        # What failed a moment ago, for all sites ("") or for one, and until when it fails again without being asked.
        self._rests: dict[str, tuple[ControllerError, float]] = {}

    def stations(self, site: str, note: Note = unnoted) -> tuple[Station, ...]:
        """The devices that are connected now. All calls raise `ControllerError`."""
        rows, _ = self._call(site, "GET", "/stat/sta", None, note)
        return answers.read_stations(rows)

    def guests(self, site: str, note: Note = unnoted, *, hours: int = 24, now: float) -> Listed:
        """Who is authorized since so many hours or less. `now` counts where the controller does not tell the time."""
        rows, clock = self._call(site, "GET", f"/stat/guest?within={hours}", None, note)
        at = clock or now
        return Listed(answers.read_guests(rows, now=at), at)

    def authorize(
        self,
        site: str,
        mac: MacAddress,
        *,
        minutes: int,
        up_kbps: int = 0,
        down_kbps: int = 0,
        access_point: str = "",
        note: Note = unnoted,
    ) -> None:
        """Let a device pass for so many minutes from now, in place of what it had. A rate of 0 is none."""
        command: dict[str, Any] = {"cmd": "authorize-guest", "mac": mac, "minutes": minutes}
        # A rate that is left out is none; 0 is not.
        command |= {name: rate for name, rate in (("up", up_kbps), ("down", down_kbps)) if rate}
        if access_point:
            command["ap_mac"] = access_point
        self._call(site, "POST", "/cmd/stamgr", command, note)

    def unauthorize(self, site: str, mac: MacAddress, note: Note = unnoted) -> None:
        """Take access back."""
        self._call(site, "POST", "/cmd/stamgr", {"cmd": "unauthorize-guest", "mac": mac}, note)

    def kick(self, site: str, mac: MacAddress, note: Note = unnoted) -> None:
        """Have a device associate anew, so that its open connections end."""
        self._call(site, "POST", "/cmd/stamgr", {"cmd": "kick-sta", "mac": mac}, note)

    def close(self) -> None:
        with self._lock:
            self._line.close()

    def _call(
        self, site: str, method: str, path: str, command: dict[str, Any] | None, note: Note
    ) -> tuple[list[dict[str, Any]], float | None]:
        if not SITE.fullmatch(site):
            raise ControllerError(Trouble.REFUSAL, "the name of the site is not one")
        said = f"{method} /api/s/{site}{path}" + (f" {json.dumps(command)}" if command else "")
        try:
            with self._turn(site):
                answer = self._signed_in(method, f"/api/s/{site}{path}", command)
                rows = answers.read_rows(answer.content)
        except ControllerError as error:
            note(said, str(error))
            if isinstance(error, answers.Rejected) and error.message == NO_PERMISSION:
                raise ControllerError(Trouble.PERMISSION, "the account may only look at this site") from error
            raise
        note(said, f"{answer.status}, {len(rows)} rows" if method == "GET" else f"{answer.status} ok")
        return rows, _clock(answer)

    @contextmanager
    def _turn(self, site: str) -> Iterator[None]:
        """This thread's turn; what failed a moment ago fails at once again, without being asked."""
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise ControllerError(Trouble.AWAY, "the calls before this one wait for it")
        try:
            for whose in ("", site):
                fault, until = self._rests.get(whose, (None, 0.0))
                if fault is not None and time.monotonic() < until:
                    raise ControllerError(fault.trouble, fault.detail)
                self._rests.pop(whose, None)
            try:
                yield
            except ControllerError as error:
                self._rest(site, error)
                raise
        finally:
            self._lock.release()

    def _rest(self, site: str, error: ControllerError) -> None:
        seconds = LOGIN_REST_SECONDS if error.trouble in _ACCOUNT else REST_SECONDS
        whose = site if error.trouble in _OF_ONE_SITE else ""
        if error.trouble is not Trouble.REFUSAL:
            self._rests[whose] = error, time.monotonic() + seconds
        if error.trouble in (Trouble.AWAY, Trouble.LOGIN):
            # Another machine, or another version, may answer next.
            self._forget()

    def _signed_in(self, method: str, path: str, command: dict[str, Any] | None) -> Answer:
        """Ask; sign in first where needed, and once more where the controller does not know us any longer."""
        is_fresh = not self._is_known
        if is_fresh:
            self._sign_in()
        answer = self._ask(method, f"{self._prefix}{path}", command)
        if _is_forgotten(answer) and not is_fresh:
            self._forget()
            self._sign_in()
            answer = self._ask(method, f"{self._prefix}{path}", command)
        _check(answer)
        return answer

    @property
    def _is_known(self) -> bool:
        return self._prefix is not None and bool(self._cookies or self._key)

    def _forget(self) -> None:
        self._prefix, self._cookies, self._csrf, self._key = None, {}, "", ""

    def _sign_in(self) -> None:
        self._prefix = self._found_prefix()
        credential = self._account.credential()
        if not self._account.username:
            self._key = credential
            return
        path = "/api/auth/login" if self._prefix else "/api/login"
        answer = self._ask("POST", path, {"username": self._account.username, "password": credential})
        if answer.status == MFA_WANTED:
            raise ControllerError(Trouble.LOGIN, "it wants a second factor: use a local account without one")
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise ControllerError(Trouble.LOGIN, "it refuses sign-ins for a while: too many were tried")
        if answer.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise ControllerError(Trouble.LOGIN, f"it refuses name and password ({answer.status})")
        _check(answer)
        if not self._cookies:
            raise ControllerError(Trouble.ANSWER, "a sign-in without a session")

    def _found_prefix(self) -> str:
        """A console's own page answers at ``/``; a Network application sends a browser on from there."""
        answer = self._ask("GET", "/", None)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ControllerError(
                Trouble.AWAY, f"it answers {answer.status}: it is starting, or being updated"
            )
        return "/proxy/network" if answer.status == HTTPStatus.OK else ""

    def _ask(self, method: str, path: str, command: dict[str, Any] | None) -> Answer:
        headers = {"Accept": "application/json"}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if self._key:
            headers["X-API-KEY"] = self._key
        if command is not None:
            headers["Content-Type"] = "application/json"
            if self._csrf:
                headers["X-CSRF-Token"] = self._csrf
        body = None if command is None else json.dumps(command).encode()
        answer = self._line.ask(method, path, headers, body)
        self._remember(answer)
        return answer

    def _remember(self, answer: Answer) -> None:
        """Session cookies and CSRF token, which a console changes as it likes."""
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            if name.strip() in ("TOKEN", "unifises", "csrf_token") and value.strip():
                self._cookies[name.strip()] = value.strip()
        told = answer.headers.get("X-Updated-CSRF-Token") or answer.headers.get("X-CSRF-Token")
        if told or not self._csrf:
            inside = answers.csrf_of(self._cookies.get("TOKEN", ""))
            self._csrf = told or inside or self._cookies.get("csrf_token", "")


def _is_forgotten(answer: Answer) -> bool:
    """Whether a new sign-in may help: the session is over, or a console wants another CSRF token."""
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return True
    return answer.status == HTTPStatus.OK and answers.LOGIN_REQUIRED.encode() in answer.content[:200]


def _check(answer: Answer) -> None:
    """Raise `ControllerError` where this is no answer to what was asked."""
    status = answer.status
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.UNAUTHORIZED:
        raise ControllerError(Trouble.LOGIN, "it does not take the session or the API key (401)")
    if status == HTTPStatus.FORBIDDEN:
        raise ControllerError(Trouble.PERMISSION, "the account may not authorize guests at this site (403)")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ControllerError(Trouble.AWAY, "it is asked too often (429)")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ControllerError(
            Trouble.ANSWER, f"it redirects ({status}): is this the controller's own address?"
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ControllerError(Trouble.AWAY, f"it answers {status}: it is starting, or being updated")
    if status == HTTPStatus.BAD_REQUEST:
        # With its reason, where it says one.
        answers.read_rows(answer.content)
    raise ControllerError(Trouble.ANSWER, f"it answers {status}")


def _clock(answer: Answer) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (TypeError, ValueError):
        return None
