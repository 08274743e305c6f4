"""Why a pass does not let somebody in, and why a batch is not made. Types without words: the portal says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from auth.errors import AuthError


class UnknownVoucher(AuthError):
    """Nobody was ever given this code. It counts against the budgets of guessing; no other refusal of a pass does."""


class SpentVoucher(AuthError):
    """The pass was used, and its time ended at `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class ExpiredVoucher(AuthError):
    """The pass was never used, and could be only until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class VoidVoucher(AuthError):
    """The pass was cancelled. `mark` is printed on the ticket: the desk finds the pass by it."""

    def __init__(self, mark: str) -> None:
        super().__init__(mark)
        self.mark = mark


class SuspendedVoucher(AuthError):
    """The pass's whole batch is suspended for now."""


class ForeignVoucher(AuthError):
    """The pass is good, but not on this network or at this site.

    `networks` and `sites` are the slugs of those where it is; none stands for all.
    """

    def __init__(self, networks: Sequence[str] = (), sites: Sequence[str] = ()) -> None:
        super().__init__(networks, sites)
        self.networks, self.sites = tuple(networks), tuple(sites)


class AlreadyUsed(AuthError):
    """The pass is good, and as many devices as it allows are online with it."""


class VoucherError(Exception):
    """Root of what the desk is refused."""


class UnknownPlan(VoucherError):
    """No plan is called `slug`."""

    def __init__(self, slug: str) -> None:
        super().__init__(slug)
        self.slug = slug


class ImpossibleCount(VoucherError):
    """A batch has from 1 to `most` passes."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class EndedPlan(VoucherError):
    """Passes of this batch could be used only until `until`, which is over."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class ImprudentBatch(VoucherError):
    """With so many codes alive, guessing would pay: more lucky guesses a day than may be.

    `live` codes already there and `count` new ones among `possible`, at `guesses` a day, make `expected` hits a day;
    `most` are borne.
    """

    def __init__(
        self, *, count: int, live: int, guesses: int, possible: int, expected: float, most: float
    ) -> None:
        super().__init__(count, live, guesses, possible, expected, most)
        self.count = count
        self.live = live
        self.guesses = guesses
        self.possible = possible
        self.expected = expected
        self.most = most


class Irreplaceable(VoucherError):
    """The pass is void or over, and there is nothing left to replace."""
