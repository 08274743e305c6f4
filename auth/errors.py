"""Why somebody may not come in. Types without words: the portal says them, in the guest's language."""

from __future__ import annotations

from datetime import date, datetime


class AuthError(Exception):
    """Root of all refusals of this room."""


class WrongCredentials(AuthError):
    """Unknown login or wrong secret: one answer for both, on purpose."""


class ExpiredCard(AuthError):
    """The secret was right; the card ended on `on` (the last day it was valid)."""

    def __init__(self, on: date) -> None:
        super().__init__(on)
        self.on = on


class BlockedCard(AuthError):
    """The secret was right; the library has blocked the card."""


class PasswordToChange(AuthError):
    """The secret was right and the card is good; the directory wants another secret before it is used again."""


class WrongPlace(AuthError):
    """The secret was right; this person may not use this network or site."""


class TooManyAttempts(AuthError):
    """The budget against guessing is spent until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class DirectoryUnavailable(AuthError):
    """The directory did not answer in time, or not as it should. `reason` is for the operator, never the guest."""

    def __init__(self, reason: str, *, retry_after_seconds: int = 5) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
