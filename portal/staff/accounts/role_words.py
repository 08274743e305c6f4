"""What each role may do, for whoever gives it."""

from __future__ import annotations

from auth.denials import N_
from auth.staff.roles import Role
from portal.i18n.translation import say

_EXPLAINED = {
    Role.DESK: N_("Gives, prints, replaces and takes back passes, and sees their books."),
    Role.ADMIN: N_(
        "Gives out the accounts and the tokens of programs, and may do all that the other roles may, "
        "but for the session log and what is kept of it."
    ),
    Role.NETWORK: N_(
        "Sets up networks, sites and gateways, keeps devices out, and reads the session log: "
        "devices can be unmasked with a reason, persons never."
    ),
    Role.ADS: N_("Prepares and follows the messages of the free network."),
    Role.REPORT: N_("Reads and prints the usage report. Nobody can be recognised in it."),
    Role.PRIVACY: N_(
        "Answers for the session log: reads it, unmasks persons with a reason, answers authorities, "
        "sets how long it is kept. Takes a second person to give, and is never an administrator's."
    ),
    Role.SCHOOL: N_("Sees the classes of a school, and switches one on for an hour."),
}


def role_explained(role: str) -> str:
    """One sentence about what the role opens."""
    return say(_EXPLAINED[Role(role)])
