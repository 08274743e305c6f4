"""The actions of the audit log, each declared once: the key that entries keep, what it is done to, and its words.

A key never changes, and none is taken out: old entries are read for years. A new action is one line here and its
translation in the portal's catalogue.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from auth.denials import N_


class ObjectKind(enum.StrEnum):
    """What an action is done to. Entries name it as "batch:12"; those that are one of a kind as "batches"."""

    PASS = "pass"
    BATCH = "batch"
    BATCHES = "batches"
    PLAN = "plan"
    GATEWAY = "gateway"
    STAFF = "staff"
    TOKEN = "token"
    # Of the town's directory.
    GROUP = "group"
    # The session log, one session, what one question finds, and one denied request.
    LOG = "sessions"
    SESSION = "session"
    QUESTION = "list"
    INCIDENT = "incident"
    REPORT = "report"
    EXPERIMENT = "experiment"
    RETENTION_PERIOD = "retention"
    PURGE = "purge"
    HOLD = "hold"
    HOLDS = "holds"
    REQUISITION = "requisition"
    REQUISITIONS = "requisitions"
    AUDIT_LOG = "trail"
    DATABASE = "database"
    NETWORK = "network"
    FIXED_DEVICE = "fixed_device"
    SITE = "site"
    ADVERTISER = "advertiser"
    CAMPAIGN = "campaign"
    ELECTION = "election"
    OVERRIDE = "override"
    DEVICE = "device"
    # A school's line, a class of tablets, one tablet.
    SCHOOL = "school"
    CLASS = "class"
    TABLET = "tablet"
    AUTHORITY = "authority"
    BLOCK = "block"
    RECIPIENT = "recipient"
    LIMITS = "limits"
    PATRONS = "patrons"
    PRINTER = "printer"

    def named(self, name: int | str) -> str:
        """One of this kind, as entries name it: "batch:12". Cut where it is longer than the column."""
        return f"{self.value}:{name}"[:LONGEST_OBJECT]


LONGEST_OBJECT = 80


@dataclass(frozen=True, slots=True)
class AuditAction:
    """`words` say what somebody did, in English, for the catalogue. `objects` are what it can be done to.

    `stays`: its entries are never purged. `former`: only entries of earlier versions have it.
    """

    key: str
    words: str
    objects: tuple[ObjectKind, ...]
    stays: bool = False
    former: bool = False


# Every action by its key.
ACTIONS: dict[str, AuditAction] = {}


def declare(
    key: str, words: str, *objects: ObjectKind, stays: bool = False, former: bool = False
) -> AuditAction:
    if key in ACTIONS:
        raise ValueError(f"the action {key!r} is declared twice")
    action = ACTIONS[key] = AuditAction(key, words, objects, stays, former)
    return action


def kind_of(object: str) -> ObjectKind:
    """The kind of what an entry names. Raises `ValueError` where there is none."""
    return ObjectKind(object.partition(":")[0])


# Staff and tokens.
SIGNED_IN = declare("signed in", N_("signed in"), ObjectKind.STAFF)
SIGNED_OUT = declare("signed out", N_("signed out"), ObjectKind.STAFF)
SIGNED_OUT_EVERYWHERE = declare("signed out everywhere", N_("signed out everywhere"), ObjectKind.STAFF)
PASSWORD_CHANGED = declare("password changed", N_("changed the password"), ObjectKind.STAFF)
RECOVERY_CODES_MADE = declare("recovery codes made", N_("made recovery codes"), ObjectKind.STAFF)
PASSKEY_ADDED = declare("passkey added", N_("added a passkey"), ObjectKind.STAFF)
PASSKEY_REMOVED = declare("passkey removed", N_("removed a passkey"), ObjectKind.STAFF)
PASSKEY_COPIED = declare("passkey copied", N_("showed a passkey that may be a copy"), ObjectKind.STAFF)
ACCOUNT_MADE = declare("account made", N_("made an account"), ObjectKind.STAFF)
ACCOUNT_SET_UP = declare("account set up", N_("set the account up"), ObjectKind.STAFF)
ACCOUNT_CHANGED = declare("account changed", N_("changed an account"), ObjectKind.STAFF)
ACCOUNT_RESET = declare("account reset", N_("began an account anew"), ObjectKind.STAFF)
ACCOUNT_DISABLED = declare("account disabled", N_("disabled an account"), ObjectKind.STAFF)
ACCOUNT_ENABLED = declare("account enabled", N_("enabled an account"), ObjectKind.STAFF)
ACCOUNT_OF_DIRECTORY = declare(
    "account from directory", N_("came from the directory for the first time"), ObjectKind.STAFF
)
ACCOUNT_BOUND = declare("account bound", N_("bound an account to the directory"), ObjectKind.STAFF)
DIRECTORY_CHANGED = declare(
    "directory changed", N_("may do something else, by the directory’s groups"), ObjectKind.STAFF
)
DIRECTORY_LEFT = declare("directory left", N_("is no longer let in by the directory"), ObjectKind.STAFF)
PAST_DIRECTORY = declare(
    "signed in past directory", N_("signed in with a local account, past the directory"), ObjectKind.STAFF
)
GROUP_GRANTED = declare("group granted", N_("said what a group may do"), ObjectKind.GROUP)
GROUP_REVOKED = declare("group revoked", N_("took from a group what it may do"), ObjectKind.GROUP)
SECOND_PERSON_ASKED = declare("second person asked", N_("asked for a second person"), ObjectKind.STAFF)
REQUEST_GRANTED = declare("request granted", N_("granted it as the second person"), ObjectKind.STAFF)
REQUEST_REFUSED = declare("request refused", N_("refused it as the second person"), ObjectKind.STAFF)
TOKEN_MADE = declare("token made", N_("made a token"), ObjectKind.TOKEN)
TOKEN_REVOKED = declare("token revoked", N_("revoked a token"), ObjectKind.TOKEN)

# Passes.
PLAN_MADE = declare("plan made", N_("made a kind of pass"), ObjectKind.PLAN)
PLAN_CHANGED = declare("plan changed", N_("changed a kind of pass"), ObjectKind.PLAN)
PASSES_ISSUED = declare("passes issued", N_("issued passes"), ObjectKind.BATCH)
TICKETS_PRINTED = declare("slips printed", N_("printed tickets"), ObjectKind.BATCH)
CODES_REOPENED = declare("codes reopened", N_("opened unused codes to print them again"), ObjectKind.BATCH)
CODES_EXPORTED = declare("codes exported", N_("took codes away as a file"), ObjectKind.BATCH)
PASS_MAILED = declare("pass mailed", N_("sent a pass by e-mail"), ObjectKind.BATCH)
PASS_REPLACED = declare("pass replaced", N_("replaced a pass"), ObjectKind.PASS)
PASS_VOIDED = declare("pass voided", N_("wrote a pass off"), ObjectKind.PASS)
PASS_REVOKED = declare("pass revoked", N_("took a pass back"), ObjectKind.PASS)
REVOCATION_UNDONE = declare("revocation undone", N_("undid taking back"), ObjectKind.PASS, ObjectKind.BATCH)
BATCH_SUSPENDED = declare("batch suspended", N_("suspended a batch"), ObjectKind.BATCH)
BATCH_RESUMED = declare("batch resumed", N_("resumed a batch"), ObjectKind.BATCH)
BATCH_VOIDED = declare("unused passes voided", N_("wrote off what was left"), ObjectKind.BATCH)
BATCH_REVOKED = declare("batch revoked", N_("took a batch back"), ObjectKind.BATCH)
PASSES_REVOKED = declare("passes revoked", N_("took passes back"), ObjectKind.BATCH, former=True)
PASSES_VOIDED = declare("passes voided", N_("wrote passes off"), ObjectKind.BATCH, former=True)
BOOKS_EXPORTED = declare("books exported", N_("exported the books"), ObjectKind.BATCHES)
BATCH_EXPORTED = declare("batch exported", N_("exported a batch"), ObjectKind.BATCH)
GATEWAY_SECRETS_SHOWN = declare(
    "gateway secrets shown", N_("looked at a gateway’s secrets"), ObjectKind.GATEWAY
)
GATEWAY_CREDENTIAL_MADE = declare(
    "gateway credential made", N_("gave a gateway a new credential"), ObjectKind.GATEWAY
)
CODES_HEARD_AGAIN = declare("codes heard again", N_("let codes be tried again"), ObjectKind.GATEWAY)

# The session log.
LOG_LISTED = declare("log listed", N_("looked at the log"), ObjectKind.LOG)
LOG_SEARCHED = declare("log searched", N_("searched the log"), ObjectKind.LOG)
LOG_EXPORTED = declare("log exported", N_("exported from the log"), ObjectKind.LOG)
EXPORT_WRITTEN = declare("export written", N_("was given the export"), ObjectKind.LOG)
SESSION_OPENED = declare("session opened", N_("opened a session"), ObjectKind.SESSION)
SESSION_ENDED = declare("session ended", N_("ended a session"), ObjectKind.SESSION)
INCIDENT_OPENED = declare("incident opened", N_("opened an incident"), ObjectKind.INCIDENT)
UNMASKED = declare("unmasked", N_("lifted masks"), ObjectKind.SESSION, ObjectKind.QUESTION)
REPORT_MADE = declare("usage report made", N_("took a usage report"), ObjectKind.REPORT)
EXPERIMENT_WRITTEN = declare("experiment written", N_("wrote an experiment down"), ObjectKind.EXPERIMENT)
EXPERIMENT_CHANGED = declare("experiment changed", N_("changed an experiment"), ObjectKind.EXPERIMENT)
THRESHOLD_AMENDED = declare(
    "threshold amended", N_("amended a threshold of an experiment"), ObjectKind.EXPERIMENT
)
REVIEW_NOTED = declare("review noted", N_("noted the review of an experiment"), ObjectKind.EXPERIMENT)
REPORT_SIGNED = declare("report signed", N_("signed a usage report off"), ObjectKind.REPORT)

# How long what is kept. The five that stay are also named by the triggers of the table.
PICTURE_SET = declare("picture set", N_("set a picture"), ObjectKind.SITE, ObjectKind.NETWORK)
PICTURE_REMOVED = declare("picture removed", N_("took a picture away"), ObjectKind.SITE, ObjectKind.NETWORK)
AUDIT_LOG_EXPORTED = declare("trail exported", N_("took the audit log away as a file"), ObjectKind.AUDIT_LOG)
AUDIT_LOG_PURGED = declare(
    "trail purged", N_("purged the audit log up to an entry"), ObjectKind.AUDIT_LOG, stays=True
)
PERIOD_ASKED = declare(
    "shorter term asked", N_("asked for a shorter term"), ObjectKind.RETENTION_PERIOD, stays=True
)
PERIOD_CONFIRMED = declare(
    "shorter term confirmed", N_("confirmed a shorter term"), ObjectKind.RETENTION_PERIOD, stays=True
)
PERIOD_WITHDRAWN = declare(
    "shorter term withdrawn", N_("withdrew a shorter term"), ObjectKind.RETENTION_PERIOD, stays=True
)
PERIOD_CHANGED = declare("term changed", N_("changed a term"), ObjectKind.RETENTION_PERIOD, stays=True)
PURGED = declare("purged", N_("purged what was past its term"), ObjectKind.PURGE)
PURGE_REFUSED = declare("purge refused", N_("refused to purge"), ObjectKind.PURGE)
HOLD_PLACED = declare("hold placed", N_("placed a legal hold"), ObjectKind.HOLD)
HOLD_CONFIRMED = declare("hold confirmed", N_("confirmed a legal hold"), ObjectKind.HOLD)
HOLD_LIFT_ASKED = declare("hold lift asked", N_("asked to lift a legal hold"), ObjectKind.HOLD)
HOLD_GOES_ON = declare("hold goes on", N_("refused to lift a legal hold"), ObjectKind.HOLD)
HOLD_LIFTED = declare("hold lifted", N_("lifted a legal hold"), ObjectKind.HOLD)
HOLDS_LISTED = declare("holds listed", N_("looked at the legal holds"), ObjectKind.HOLDS)

# Requisitions.
REQUISITIONS_LISTED = declare(
    "requisitions listed", N_("looked at the requisitions"), ObjectKind.REQUISITIONS
)
REQUISITION_REGISTERED = declare(
    "requisition registered", N_("registered a requisition"), ObjectKind.REQUISITION
)
REQUISITION_OPENED = declare("requisition opened", N_("opened a requisition"), ObjectKind.REQUISITION)
REQUISITION_WEIGHED = declare(
    "requisition weighed", N_("looked at how exact an answer would be"), ObjectKind.REQUISITION
)
REQUISITION_BEING_ANSWERED = declare(
    "requisition being answered", N_("began to answer a requisition"), ObjectKind.REQUISITION
)
REQUISITION_ANSWERED = declare(
    "requisition answered", N_("gave the package of a requisition"), ObjectKind.REQUISITION
)
REQUISITION_CLOSED = declare("requisition closed", N_("closed a requisition"), ObjectKind.REQUISITION)
BASIS_CHANGED = declare("basis changed", N_("changed the list of legal bases"), ObjectKind.REQUISITIONS)

# Campaigns.
ADVERTISER_MADE = declare("advertiser made", N_("wrote an advertiser down"), ObjectKind.ADVERTISER)
ADVERTISER_CHANGED = declare(
    "advertiser changed", N_("changed what is written of an advertiser"), ObjectKind.ADVERTISER
)
CAMPAIGN_DRAFTED = declare("campaign drafted", N_("drafted a campaign"), ObjectKind.CAMPAIGN)
CAMPAIGN_CHANGED = declare("campaign changed", N_("changed the draft of a campaign"), ObjectKind.CAMPAIGN)
CAMPAIGN_DUPLICATED = declare("campaign duplicated", N_("copied a campaign"), ObjectKind.CAMPAIGN)
CAMPAIGN_PROPOSED = declare("campaign proposed", N_("proposed a campaign"), ObjectKind.CAMPAIGN)
CAMPAIGN_APPROVED = declare("campaign approved", N_("approved a campaign"), ObjectKind.CAMPAIGN)
CAMPAIGN_PAUSED = declare("campaign paused", N_("paused a campaign"), ObjectKind.CAMPAIGN)
CAMPAIGN_RESUMED = declare("campaign resumed", N_("let a campaign go on"), ObjectKind.CAMPAIGN)
CAMPAIGN_STOPPED = declare("campaign stopped", N_("stopped a campaign"), ObjectKind.CAMPAIGN)
MEDIA_SET = declare("message picture set", N_("gave a message a picture or a video"), ObjectKind.CAMPAIGN)
MEDIA_REMOVED = declare(
    "message picture removed", N_("took the picture or video of a message away"), ObjectKind.CAMPAIGN
)
BILL_ISSUED = declare("bill issued", N_("issued a bill"), ObjectKind.ADVERTISER)
LINK_MADE = declare(
    "advertiser link made", N_("made a link to an advertiser’s figures"), ObjectKind.ADVERTISER
)
LINKS_REVOKED = declare(
    "advertiser links revoked", N_("revoked links to an advertiser’s figures"), ObjectKind.ADVERTISER
)
OVERRIDE_STARTED = declare(
    "override started", N_("put a crisis message in the place of all others"), ObjectKind.OVERRIDE
)
OVERRIDE_STOPPED = declare("override stopped", N_("stopped a crisis message"), ObjectKind.OVERRIDE)
ELECTION_NOTED = declare("election noted", N_("wrote an election down"), ObjectKind.ELECTION)

# What an installation is made of: whatever is a kind of record (`auth.records`) stands here.
RECORDS = (
    *(ObjectKind.NETWORK, ObjectKind.SITE, ObjectKind.GATEWAY, ObjectKind.PLAN),
    *(ObjectKind.FIXED_DEVICE, ObjectKind.PRINTER),
    *(ObjectKind.SCHOOL, ObjectKind.CLASS, ObjectKind.TABLET),
)
RECORD_MADE = declare("record made", N_("added a record"), *RECORDS)
RECORD_CHANGED = declare("record changed", N_("changed a record"), *RECORDS)
RECORD_UNDONE = declare("record change undone", N_("undid the change of a record"), *RECORDS)

PRINTER_TRIED = declare("printer tried", N_("printed a trial receipt"), ObjectKind.PRINTER)

# Schools.
CLASS_SWITCHED_ON = declare("class switched on", N_("switched a class of tablets on"), ObjectKind.CLASS)
CLASS_SWITCHED_OFF = declare("class switched off", N_("switched a class of tablets off"), ObjectKind.CLASS)
DEVICE_LINK_MADE = declare(
    "device link made", N_("made a page for a device's owner"), ObjectKind.FIXED_DEVICE
)
DEVICE_LINK_REVOKED = declare(
    "device link revoked", N_("revoked the page of a device's owner"), ObjectKind.FIXED_DEVICE
)

# The encrypted network.
AUTHORITY_MADE = declare(
    "authority made", N_("made the authority of the encrypted network"), ObjectKind.AUTHORITY
)
AUTHORITY_RENEWED = declare(
    "authority renewed", N_("renewed the authority of the encrypted network"), ObjectKind.AUTHORITY
)
DEVICE_REVOKED = declare("device revoked", N_("revoked a device’s certificate"), ObjectKind.DEVICE)

# Blocks.
BLOCK_PLACED = declare("block placed", N_("blocked a device or a person"), ObjectKind.BLOCK)
BLOCK_LIFTED = declare("block lifted", N_("lifted a block"), ObjectKind.BLOCK)

# Cards in the portal's own table.
PATRONS_IMPORTED = declare("patrons imported", N_("took cards in from a file"), ObjectKind.PATRONS)

# Limits against guessing.
LIMITS_CLEARED = declare("limits cleared", N_("let a device or a card try again"), ObjectKind.LIMITS)

# The database.
BACKUP_MADE = declare("backup made", N_("copied the database"), ObjectKind.DATABASE)
DATABASE_RESTORED = declare(
    "database restored", N_("put a backup in the database’s place"), ObjectKind.DATABASE
)

# Alerts.
RECIPIENT_ADDED = declare("alert recipient added", N_("had alerts sent to an address"), ObjectKind.RECIPIENT)
RECIPIENT_REMOVED = declare(
    "alert recipient removed", N_("had alerts sent to an address no more"), ObjectKind.RECIPIENT
)
