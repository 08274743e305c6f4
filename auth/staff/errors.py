"""What goes wrong with staff accounts. Types without words: the portal says them."""

from __future__ import annotations

import enum

from auth.errors import AuthError


class StaffError(AuthError):
    """Root of the refusals about staff accounts."""


class WrongStaffCredentials(StaffError):
    """Unknown login, wrong password, account not set up or disabled: one answer for all, on purpose."""


class WrongCode(StaffError):
    """The password was right; the second factor was wrong, or was used before."""


class SpentSignin(StaffError):
    """Somebody has signed in with this password step already: it is good once."""


class BusyHashing(StaffError):
    """Too many sign-ins at once; a moment later it works."""


class SpentSetup(StaffError):
    """The setup link was used, replaced or is too old."""


class TakenLogin(StaffError):
    """There is somebody with this login."""


class UnreadableLogin(StaffError):
    """A login is 2 to 64 letters, digits, dots or underscores."""


class UnknownNetworks(StaffError):
    """Networks were named that do not exist: `slugs`."""

    def __init__(self, slugs: list[str]) -> None:
        super().__init__(slugs)
        self.slugs = slugs


class NoRole(StaffError):
    """An account without a role could do nothing."""


class LastAdmin(StaffError):
    """Nobody would be left who may look after accounts."""


class BeyondAuthority(StaffError):
    """Nobody gives or takes more than they have themselves."""


class NoReach(StaffError):
    """Neither all networks nor any of them was chosen: an empty field never means all."""


class RolesApart(StaffError):
    """Two roles that check each other are never one person's."""


class TakesTwo(StaffError):
    """This takes a second person."""


class DependentPerson(StaffError):
    """Whoever asked, whom it is about, or whose account one of the two could have opened, is no second person."""


class OverRequest(StaffError):
    """This was granted, refused or left too long."""


class WrongWord(StaffError):
    """The word that belongs to the link is another one."""


class Weakness(enum.StrEnum):
    SHORT = "short"
    LONG = "long"
    NAMED = "named"
    MONOTONOUS = "monotonous"


class WeakPassword(StaffError):
    """A password that would be guessed: `weakness` says why."""

    def __init__(self, weakness: Weakness) -> None:
        super().__init__(weakness)
        self.weakness = weakness


class NoReason(StaffError):
    """A reason of at least ten characters is asked for."""
