"""What can go wrong in this room. Types with facts; the portal and the command line find the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateways.sentences import Sentence, all_of


class SitesError(Exception):
    """Root of all refusals of this room."""


@dataclass(frozen=True, slots=True)
class ImportFault:
    """One thing wrong with an imported file: where (``line 7``, ``feature 3``), in which column, and why."""

    where: str
    column: str | None
    reason: Sentence

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.column}: {self.reason}" if self.column else f"{self.where}: {self.reason}"
        )


class RefusedImport(SitesError):
    """The file has faults, all of them in `faults`; nothing of it was taken."""

    def __init__(self, faults: Sequence[ImportFault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class InvalidGateway(SitesError):
    """A gateway record cannot be as asked: each of `reasons` says why."""

    def __init__(self, *reasons: Sentence) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons

    @property
    def reason(self) -> Sentence:
        return all_of(self.reasons)


class TakenIdentity(SitesError):
    """Another gateway already calls itself `identity`."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.identity = identity


class AmbiguousAddress(SitesError):
    """More than one gateway may have this client behind it: `identities` names them."""

    def __init__(self, identities: Sequence[str]) -> None:
        super().__init__(", ".join(identities))
        self.identities = tuple(identities)
