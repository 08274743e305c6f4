"""What is kept of a device between the gateway's redirects: how to answer it, and what has been answered already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from gateways.uam.dialect import Outcome
from gateways.uam.login import CHALLENGE_LIFE, Login
from gateways.uam.redirect import Redirect

# A browser that comes back from the gateway so soon after it was sent there, and is still not let pass, is told so.
TURN_SECONDS = 60.0
MOST_SPENT = 4
# From so many addresses the same device may be spoken of at once, where nobody signs.
MOST_SPEAKERS = 4
# What says that the gateway waits for a sign-in.
WAITING = (Outcome.NOT_YET, Outcome.STALE)


@dataclass(frozen=True, slots=True)
class Kept:
    """`at` is since when the challenge is known, and `sent` when the browser was last led straight back to the gateway,
    in seconds since the epoch. `spent` are challenges that the gateway has answered upon; `key` names the uamsecret.
    """

    login: Login | None = None
    at: float = 0.0
    sent: float = 0.0
    spent: tuple[str, ...] = ()
    key: str = ""

    def after(self, said: Redirect, *, now: float, has_session: bool, key: str) -> tuple[Self, Outcome]:
        """What is kept after this redirect, and what it comes to: one that leads in a circle is a refusal."""
        login, outcome, sent = Login.of(said) or self.login, said.outcome, self.sent
        before = self.login.challenge if self.login is not None else ""
        spent = self.spent
        if outcome is not Outcome.NOT_YET and before and before not in spent:
            spent = (*spent, before)[-MOST_SPENT:]
        if has_session and outcome in WAITING:
            outcome = Outcome.REFUSED if 0 <= now - sent < TURN_SECONDS else outcome
            sent = now
        is_new = login is not None and login.challenge != before
        at = now if is_new or self.login is None else self.at
        return replace(self, login=login, at=at, sent=sent, spent=spent, key=key or self.key), outcome

    def has_good_challenge(self, *, now: float) -> bool:
        """Whether the challenge has neither been answered nor grown too old."""
        is_young = 0 <= now - self.at <= CHALLENGE_LIFE.total_seconds()
        return self.login is not None and self.login.challenge not in self.spent and is_young

    def told(self) -> dict[str, Any]:
        """As JSON keeps it."""
        login = None if self.login is None else self.login.told()
        return {"login": login, "at": self.at, "sent": self.sent, "spent": list(self.spent), "key": self.key}

    @classmethod
    def by(cls, told: Mapping[str, Any], speaker: str) -> Self:
        """What was kept of what this speaker said; the speaker is nobody where the gateway signs."""
        found = told.get("by", {}).get(speaker)
        if found is None:
            return cls()
        login = None if found["login"] is None else Login.from_told(found["login"])
        return cls(login, found["at"], found["sent"], tuple(found["spent"]), found["key"])


def keep(told: Mapping[str, Any], speaker: str, kept: Kept) -> dict[str, Any]:
    """What is told of the device now: this speaker's part is new, and the oldest of too many is dropped."""
    others = [(name, part) for name, part in told.get("by", {}).items() if name != speaker]
    return {"by": dict([*others[1 - MOST_SPEAKERS :], (speaker, kept.told())])}
