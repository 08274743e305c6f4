"""The kinds of troubles. Each is declared here once, with its words, its severity, who may see it, and its page."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from auth.denials import N_
from auth.staff.roles import Action


class Severity(enum.StrEnum):
    """How bad it is, the worst first."""

    # Somebody is kept out, or a duty of the law is not kept.
    BROKEN = "broken"
    # It will be, unless somebody looks.
    WARNING = "warning"
    # A person has to do something, and nothing is broken.
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class TroubleKind:
    """One kind. `name` is what the database and alerts hold: it never changes.

    `title` says what is so and `advice` what to do; both may name the subject and the facts that the detector gives:
    ``%(subject)s``, ``%(site)s``. Facts in `times` are instants. `page` is the path below ``/staff/`` where it is
    mended; it may name facts as well: ``gateways/{subject}``.
    """

    name: str
    severity: Severity
    action: Action
    title: str
    advice: str
    page: str
    times: tuple[str, ...] = ()


KINDS: dict[str, TroubleKind] = {}


def _of(severity: Severity) -> Callable[..., TroubleKind]:
    def declare(
        name: str, action: Action, title: str, advice: str, *, page: str, times: tuple[str, ...] = ()
    ) -> TroubleKind:
        if name in KINDS:
            raise ValueError(f"the trouble {name!r} is declared twice")
        KINDS[name] = TroubleKind(name, severity, action, title, advice, page, times)
        return KINDS[name]

    return declare


broken, warning, waiting = _of(Severity.BROKEN), _of(Severity.WARNING), _of(Severity.WAITING)

# Of gateways; the subject is the gateway's name.
GATEWAY_SILENT = broken(
    "gateway_silent",
    Action.GATEWAYS,
    N_("%(site)s: the gateway %(subject)s is silent"),
    N_("Who is online there stays so, nobody new comes in. Is it powered, is its line up?"),
    page="gateways/{subject}",
)
GATEWAY_CUT_OFF = broken(
    "gateway_cut_off",
    Action.GATEWAYS,
    N_("%(site)s: people behind the gateway %(subject)s do not reach the Internet"),
    N_(
        "They are signed in, and their packets do not pass. Its page shows what it says of itself, and what to do."
    ),
    page="gateways/{subject}",
)
GATEWAY_FAULTY = warning(
    "gateway_faulty",
    Action.GATEWAYS,
    N_("%(site)s: the gateway %(subject)s reports a fault"),
    N_("Its page shows what it says of itself, and what to do."),
    page="gateways/{subject}",
)
GATEWAY_DRIFTING = warning(
    "gateway_drifting",
    Action.GATEWAYS,
    N_("%(site)s: the gateway %(subject)s does not do what it was told"),
    N_("It is being told again whom to let pass. If this stays, look at its page."),
    page="gateways/{subject}",
)
GATEWAY_BEHIND = warning(
    "gateway_behind",
    Action.GATEWAYS,
    N_("%(site)s: the gateway %(subject)s has not taken the newest changes"),
    N_("People who sign in there wait. Its page shows since when."),
    page="gateways/{subject}",
)
GATEWAY_CLOCK = warning(
    "gateway_clock",
    Action.GATEWAYS,
    N_("%(site)s: the clock of the gateway %(subject)s is off"),
    N_("Check its time service: ends of sessions go by that clock."),
    page="gateways/{subject}",
)
# Of a place; the subject is the site's name in addresses.
SITE_SLOW = warning(
    "site_slow",
    Action.GATEWAYS,
    N_("%(site)s: most devices get less than half of the rate wanted"),
    N_(
        "%(fast)s of %(devices)s devices that loaded a lot in the last hour reached it. Is the line shared, or its "
        "radio disturbed?"
    ),
    page="records/sites/{subject}",
)
# Of people who are kept out; the subject is the network and the reason.
REFUSALS = warning(
    "refusals",
    Action.SESSIONS,
    N_("%(network_name)s: %(count)s refusals in an hour, usually %(usual)s at most: %(reason_words)s"),
    N_("The log shows whom they met and where."),
    page="sessions?network={network}&last=1h&show=refusals",
)
# Of fixed devices; the subject is the device's short name.
DEVICE_SILENT = warning(
    "device_silent",
    Action.DEVICES,
    N_("%(site)s: %(device)s (%(owner)s) is silent"),
    N_("It has sent nothing for longer than it usually does. Has it power? Its page says what is usual."),
    page="records/devices/{subject}",
)
CONTRACT_ENDING = warning(
    "contract_ending",
    Action.DEVICES,
    N_("%(site)s: the contract of %(device)s ends on %(until)s"),
    N_(
        "Then it is cut off by itself. Ask %(owner)s, and write a later last day into the record if it goes on."
    ),
    page="records/devices/{subject}",
    times=("until",),
)
CONTRACT_ENDED = waiting(
    "contract_ended",
    Action.DEVICES,
    N_("%(site)s: the contract of %(device)s has ended"),
    N_("It is cut off since %(until)s. Write a later last day into the record, or retire it."),
    page="records/devices/{subject}",
    times=("until",),
)
AUTHORISATION_ENDING = warning(
    "authorisation_ending",
    Action.DEVICES,
    N_("%(site)s: the authorisation of %(device)s ends on %(until)s"),
    N_("A camera needs one that holds, and its sign names it. Ask %(owner)s for the next one."),
    page="records/devices/{subject}",
    times=("until",),
)
# Of what the law asks for; the subject is the refusal, the hold, the class of data.
PURGE_REFUSED = broken(
    "purge_refused",
    Action.RETENTION,
    N_("The purge was refused"),
    N_(
        "Nothing is deleted until a person has looked: the clock has jumped, or far more would go than usual."
    ),
    page="retention",
)
PURGE_LATE = broken(
    "purge_late",
    Action.RETENTION,
    N_("No purge has gone to its end for two days"),
    N_("Records stay past their term. Does the sweep run? Its log says why a purge does not end."),
    page="retention",
)
PURGE_UNBALANCED = broken(
    "purge_unbalanced",
    Action.RETENTION,
    N_("The last purge does not add up"),
    N_("More or less was deleted than was due. Its figures are on the page; look before the next one."),
    page="retention",
)
TERM_WAITING = waiting(
    "term_waiting",
    Action.RETENTION,
    N_("A shorter retention period waits for a second person"),
    N_("%(by)s asked for it. Somebody else confirms or withdraws it."),
    page="retention",
)
HOLD_WAITING = waiting(
    "hold_waiting",
    Action.RETENTION,
    N_("The hold %(reference)s waits for a second person"),
    N_("Unless somebody other than %(by)s confirms it by %(until)s, it lapses, and what it keeps is purged."),
    page="holds",
    times=("until",),
)
LIFT_WAITING = waiting(
    "lift_waiting",
    Action.RETENTION,
    N_("Lifting the hold %(reference)s waits for a second person"),
    N_("%(by)s asked for it. Somebody else confirms, or lets the hold go on."),
    page="holds",
)
# Of the machine that the portal runs on.
CLOCK_DOUBTED = broken(
    "clock_doubted",
    Action.GATEWAYS,
    N_("This machine's clock has jumped"),
    N_("Nothing is deleted, and sessions may end at the wrong time. Check the time service."),
    page="",
)
DISK_FULL = broken(
    "disk_full",
    Action.GATEWAYS,
    N_("The disk is all but full: %(free)s MB are free"),
    N_("Nobody can sign in on a full disk. Make room in %(subject)s, or give it more."),
    page="",
)
DISK_LOW = warning(
    "disk_low",
    Action.GATEWAYS,
    N_("The disk fills up: %(free)s MB are free"),
    N_("Make room in %(subject)s, or give it more, before it is full."),
    page="",
)
CERTIFICATE_REFUSED = broken(
    "certificate_refused",
    Action.GATEWAYS,
    N_("Phones refuse the portal's certificate"),
    N_("%(subject)s, as seen at %(asked)s: %(why)s. Renew it, then: systemctl reload arobase-front"),
    page="",
)
CERTIFICATE_AGEING = warning(
    "certificate_ageing",
    Action.GATEWAYS,
    N_("The portal's certificate expires in %(days)s days"),
    N_("It was looked at as %(asked)s shows it. Renew it, then: systemctl reload arobase-front"),
    page="",
)
FRONT_UNREACHABLE = broken(
    "front_unreachable",
    Action.GATEWAYS,
    N_("Nothing answers at the portal's address"),
    N_(
        "The sweep asked %(subject)s, and the front itself at %(own)s: %(why)s. "
        "On its machine: systemctl status arobase-front"
    ),
    page="",
)
ANCHOR_AGEING = warning(
    "anchor_ageing",
    Action.TRAIL,
    N_("The last anchor of the audit log is old"),
    N_(
        "New entries are not anchored outside this machine. Is the folder %(subject)s there, and may it be written to?"
    ),
    page="trail",
)
SWEEP_SILENT = broken(
    "sweep_silent",
    Action.OWN_ACCOUNT,
    N_("The sweep does not run"),
    N_("Nothing on this page is kept up to date. On the portal's machine: systemctl status arobase-sweep"),
    page="",
)
CHECK_FAILED = warning(
    "check_failed",
    Action.GATEWAYS,
    N_("A check could not be made: %(subject)s"),
    N_("Whether all is well there is not known (%(why)s). The sweep's log says more."),
    page="",
)
PAST_DIRECTORY = warning(
    "past_directory",
    Action.TRAIL,
    N_("%(subject)s signed in with a local account, past the directory"),
    N_(
        "Last time: %(last)s. Local accounts are for the day the directory is away: if nobody knows why, disable the "
        "account, then look at what it did."
    ),
    page="trail?actor={subject}",
    times=("last",),
)
ALERTS_UNDELIVERED = warning(
    "alerts_undelivered",
    Action.ALERTS,
    N_("Alerts do not get through"),
    N_("It was refused with these words: %(why)s. Who is told stands under Alerts."),
    page="alerts",
)
