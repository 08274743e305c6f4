"""Denials of staff accounts: each reason with its texts."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Case, declare
from auth.errors import AuthError


class StaffError(AuthError):
    """Root of the denials about staff accounts."""


class WrongStaffCredentials(StaffError):
    """Unknown login, wrong password, account not set up or disabled: one answer for all, on purpose."""

    reason = declare(
        "wrong_staff_credentials",
        HTTPStatus.UNAUTHORIZED,
        N_("Login or password is wrong."),
        N_("Try again. Forgotten it? An administrator can send you a new link."),
        form_field="login",
    )


class WrongCode(StaffError):
    """The password was right; the second factor was wrong, or was used before."""

    reason = declare(
        "wrong_second_factor",
        HTTPStatus.UNAUTHORIZED,
        N_("That code is not right."),
        N_("Wait for the next one and type it at once; each works only once. A recovery code works too."),
        form_field="code",
    )


class WrongPasskey(StaffError):
    """No passkey of an account that can be signed in to, or its signature is wrong: one answer for all."""

    reason = declare(
        "wrong_passkey",
        HTTPStatus.UNAUTHORIZED,
        N_("That passkey opens no account here."),
        N_("Choose another one, or sign in with login and password."),
    )


class CopiedPasskey(StaffError):
    """Its count of uses fell back: somebody may have a copy of it."""

    reason = declare(
        "copied_passkey",
        HTTPStatus.UNAUTHORIZED,
        N_("Somebody may have a copy of this passkey."),
        N_("Sign in with login and password, and remove it from your account. An administrator can see it."),
    )


class UnusablePasskey(StaffError):
    """What the browser made is no passkey that can be kept."""

    reason = declare(
        "unusable_passkey",
        HTTPStatus.BAD_REQUEST,
        N_("That passkey cannot be used here."),
        N_("It has to ask for your finger, your face or a PIN. Try again, or use another device."),
    )


class TakenPasskey(StaffError):
    """The passkey belongs to an account already."""

    reason = declare(
        "taken_passkey",
        HTTPStatus.BAD_REQUEST,
        N_("This passkey was added before."),
        N_("It works already. Use another device to add another one."),
    )


class SpentPasskeys(StaffError):
    """An account has as many passkeys as it can have."""

    reason = declare(
        "spent_passkeys",
        HTTPStatus.BAD_REQUEST,
        N_("You have ten passkeys already."),
        N_("Remove one that you no longer use, then add this one."),
    )


class StaleStep(StaffError):
    """The second factor came too long after the password, or the account was changed in between."""

    reason = declare(
        "stale_signin_step",
        HTTPStatus.BAD_REQUEST,
        N_("This took too long."),
        N_("Sign in again: it takes half a minute."),
    )


class SpentSignin(StaffError):
    """Somebody has signed in with this password step already: it is good once."""

    reason = declare(
        "spent_signin_step",
        HTTPStatus.BAD_REQUEST,
        N_("That was sent twice, and each code works only once."),
        N_("Sign in again with the next code: press the button once and wait."),
    )


class BusyHashing(StaffError):
    """Too many sign-ins at once; a moment later it works."""

    reason = declare(
        "busy_signin",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("Too many people are signing in at once."),
        N_("Nothing is lost. Try again in a few seconds."),
        retry_after=2,
    )


class SpentSetup(StaffError):
    """The setup link was used, replaced or is too old."""

    reason = declare(
        "spent_setup",
        HTTPStatus.GONE,
        N_("This link was used, or is too old."),
        N_("Ask an administrator for a new one. If your account is set up, just sign in."),
    )


class TakenLogin(StaffError):
    """There is somebody with this login."""

    reason = declare(
        "taken_login",
        HTTPStatus.BAD_REQUEST,
        N_("There is somebody with this login."),
        N_("Choose another one."),
    )


class UnreadableLogin(StaffError):
    """A login is 2 to 64 letters, digits, dots or underscores."""

    reason = declare(
        "unreadable_login",
        HTTPStatus.BAD_REQUEST,
        N_("That is not a login."),
        N_("Use 2 to 64 small letters, digits, dots or underscores."),
    )


@dataclass(eq=False)
class UnknownNetworks(StaffError):
    """Networks were named that do not exist: `slugs`."""

    reason = declare(
        "unknown_networks",
        HTTPStatus.BAD_REQUEST,
        N_("There is no such network."),
        N_("Choose from the list."),
    )
    slugs: list[str]


class NoRole(StaffError):
    """An account without a role could do nothing."""

    reason = declare(
        "no_role",
        HTTPStatus.BAD_REQUEST,
        N_("No role was chosen."),
        N_("Choose at least one: without it the account can do nothing."),
    )


class NoSchool(StaffError):
    """A head or a teacher is one of schools, and nobody else is."""

    reason = declare(
        "no_school",
        HTTPStatus.BAD_REQUEST,
        N_("For which schools?"),
        N_("The role School goes with the schools that it is for, and schools with that role."),
    )


@dataclass(eq=False)
class UnknownSchools(StaffError):
    """Schools were named that do not exist: `slugs`."""

    reason = declare(
        "unknown_schools",
        HTTPStatus.BAD_REQUEST,
        N_("There is no such school."),
        N_("Choose from the list."),
    )
    slugs: list[str]


class LastAdmin(StaffError):
    """Nobody would be left who may look after accounts."""

    reason = declare(
        "last_admin",
        HTTPStatus.BAD_REQUEST,
        N_("This is the last administrator of all networks."),
        N_("Make somebody else an administrator first."),
    )


class BeyondAuthority(StaffError):
    """Nobody gives or takes more than they have themselves."""

    reason = declare(
        "beyond_authority",
        HTTPStatus.BAD_REQUEST,
        N_("That is more than you may give."),
        N_("You can give your own networks, and change those who work for them alone."),
    )


class NoReach(StaffError):
    """Neither all networks nor any of them was chosen: an empty field never means all."""

    reason = declare(
        "no_reach",
        HTTPStatus.BAD_REQUEST,
        N_("For which networks?"),
        N_("Choose all of them, or tick those that are meant: an empty field means none."),
    )


@dataclass(eq=False)
class UnknownHome(StaffError):
    """The home library has no network that the account works for; `slug` names it."""

    reason = declare(
        "unknown_home",
        HTTPStatus.BAD_REQUEST,
        N_("This library has no network of the account."),
        N_("Choose one where the networks that you ticked are, or none."),
        form_field="home",
    )
    slug: str


class RolesApart(StaffError):
    """Two roles that check each other are never one person's."""

    reason = declare(
        "roles_apart",
        HTTPStatus.BAD_REQUEST,
        N_("These two roles are never one person’s."),
        N_("Who gives out the roles and who answers for data protection watch each other."),
    )


class TakesTwo(StaffError):
    """This takes a second person."""

    reason = declare(
        "takes_two",
        HTTPStatus.BAD_REQUEST,
        N_("This takes a second person."),
        N_("Begin the account anew instead: somebody else has to grant that."),
    )


class DependentPerson(StaffError):
    """Whoever asked, whom it is about, or whose account one of the two could have opened, is no second person."""

    reason = declare(
        "dependent_person",
        HTTPStatus.BAD_REQUEST,
        N_("You are not a second person here."),
        N_(
            "It is about you, or the link to your account came from whoever asked. Let somebody else grant it."
        ),
    )


class OverRequest(StaffError):
    """This was granted, refused or left too long."""

    reason = declare(
        "over_request",
        HTTPStatus.BAD_REQUEST,
        N_("This request is over."),
        N_("It was granted, refused, replaced, or left for more than a week."),
    )


class WrongWord(StaffError):
    """The word that belongs to the link is another one."""

    reason = declare(
        "wrong_word",
        HTTPStatus.BAD_REQUEST,
        N_("That is not the word."),
        N_("Ask the person who granted the account. Each link has a word of its own."),
    )


class DirectoryDecides(StaffError):
    """The account is one of the town's directory: its groups say what it may do, and it has no password here."""

    reason = declare(
        "directory_decides",
        HTTPStatus.BAD_REQUEST,
        N_("The town’s directory decides about this account."),
        N_("Its groups say what the person may do. Here you can disable the account."),
    )


class NoGrant(StaffError):
    """The directory knows the person, and none of their groups may do anything here."""

    reason = declare(
        "no_grant",
        HTTPStatus.FORBIDDEN,
        N_("Nothing here is for you yet."),
        N_("You are who you say, but none of your groups may use these pages. Ask an administrator."),
    )


class DisabledAccount(StaffError):
    """The directory lets the person in, and an administrator here does not."""

    reason = declare(
        "disabled_account",
        HTTPStatus.FORBIDDEN,
        N_("Your account here is disabled."),
        N_("An administrator can enable it again."),
    )


class LocalLogin(StaffError):
    """Another account here has the login that the directory gives the person: nothing says that both are one."""

    reason = declare(
        "local_login",
        HTTPStatus.CONFLICT,
        N_("Another account here has your login."),
        N_(
            "Accounts are not joined by their names. The operator can bind it to the directory, if it is yours."
        ),
    )


class RefusedAssertion(StaffError):
    """What the directory's answer says is not for us, not of now, or not signed by it. The cause is in the log."""

    reason = declare(
        "refused_assertion",
        HTTPStatus.FORBIDDEN,
        N_("The directory’s answer cannot be believed."),
        N_("Begin the sign-in again. If it happens once more, tell whoever runs this portal."),
    )


class ForeignAnswer(StaffError):
    """The answer belongs to a sign-in that this browser has not begun, or began too long ago."""

    reason = declare(
        "foreign_answer",
        HTTPStatus.BAD_REQUEST,
        N_("This browser has not begun that sign-in, or too long ago."),
        N_("Begin it again from this page."),
    )


class DeclinedByDirectory(StaffError):
    """The directory refused the person, or they turned back there."""

    reason = declare(
        "declined_by_directory",
        HTTPStatus.FORBIDDEN,
        N_("The directory did not let you in."),
        N_("Try again, or ask whoever looks after your account there."),
    )


@dataclass(eq=False)
class StaffDirectoryAway(StaffError):
    """The directory did not answer in time, or not as it should. `cause` is for the operator."""

    reason = declare(
        "staff_directory_away",
        HTTPStatus.SERVICE_UNAVAILABLE,
        N_("The town’s directory does not answer."),
        N_("Try again in a minute. A local account signs in with its password all the same."),
        retry_after="retry_after_seconds",
    )
    cause: str
    retry_after_seconds: int = 5

    def __str__(self) -> str:
        return self.cause


class NoDirectory(StaffError):
    """No directory answers for staff."""

    reason = declare(
        "no_staff_directory",
        HTTPStatus.CONFLICT,
        N_("No directory is set up for staff."),
        N_("Whoever runs this portal can set one: until then every account is a local one."),
    )


class NoGroupName(StaffError):
    """A group needs its name."""

    reason = declare(
        "no_group_name",
        HTTPStatus.BAD_REQUEST,
        N_("Which group?"),
        N_("Write its name letter for letter as the directory has it, at most 255 signs."),
        form_field="group",
    )


class UngrantableRole(StaffError):
    """A role that no group gives."""

    reason = declare(
        "ungrantable_role",
        HTTPStatus.BAD_REQUEST,
        N_("No group gives this role."),
        N_("Data protection takes two people, and a school’s account is bound to its schools by hand."),
    )


class Weakness(enum.StrEnum):
    SHORT = "short"
    LONG = "long"
    NAMED = "named"
    MONOTONOUS = "monotonous"


@dataclass(eq=False)
class WeakPassword(StaffError):
    """A password that would be guessed: `weakness` says why."""

    reason = declare(
        "weak_password",
        HTTPStatus.BAD_REQUEST,
        N_("Choose another password."),
        Case(
            "weakness",
            {
                Weakness.SHORT: N_(
                    "It needs 12 characters at least. Four words that do not belong together are a good one."
                ),
                Weakness.LONG: N_("It may have 256 characters at most."),
                Weakness.MONOTONOUS: N_("It repeats a few characters: that is guessed first."),
                Weakness.NAMED: N_("It is little more than your name: that is guessed first."),
            },
        ),
        form_field="password",
    )
    weakness: Weakness


class NoReason(StaffError):
    """A reason of at least ten characters is asked for."""

    reason = declare(
        "no_reason",
        HTTPStatus.BAD_REQUEST,
        N_("Why do you need to see more?"),
        N_("Nothing was unmasked. Go back and give a reason of at least ten characters."),
    )
