"""Every route of staff, for every role, on their own network's objects and on another's.

The table below is written by hand, and the routes come from the application: a new route that is not in the table, or
that declares no policy, fails here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule as Route

from auth.staff.roles import Action, Role
from portal.services import Services
from portal.staff.access import need_of
from tests.portal.effects import TRAIL, changed_since, state
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk
from tests.portal.staff.world import (
    BLOCK,
    MINE,
    SCHOOL,
    Things,
    World,
    with_coming_experiment,
    with_new_block,
    with_new_campaign,
    with_new_passes,
    with_new_recipient,
)

EVERYBODY = frozenset(Role)
DESKS = frozenset({Role.DESK, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
PRIVACY = frozenset({Role.PRIVACY})
ADS = ADMINS | {Role.ADS}
TOWN = frozenset({Role.NETWORK, Role.ADMIN})
LOG = frozenset({Role.NETWORK, Role.PRIVACY})
NETWORK = ADMINS | {Role.NETWORK}


RECORD_VIEWS = ("list", "record", "change", "undo", "csv", "file", "look", "take_in", "new", "add")


def of_records(
    kind: str, action: Action, *, adds: bool = True, roles: frozenset[Role] = NETWORK
) -> dict[str, tuple[Action, frozenset[Role]]]:
    """The routes that every kind of record has."""
    names = [name for name in RECORD_VIEWS if adds or name not in ("new", "add")]
    return {f"staff.{kind}_{name}": (action, roles) for name in names}


# None: for people who are not signed in, too.
TABLE: dict[str, tuple[Action | None, frozenset[Role]]] = {
    "staff.signin_page": (None, EVERYBODY),
    "staff.signin": (None, EVERYBODY),
    "staff.signin_code": (None, EVERYBODY),
    "staff.signin_passkey": (None, EVERYBODY),
    "staff.openid": (None, EVERYBODY),
    "staff.openid_return": (None, EVERYBODY),
    "staff.openid_logout": (None, EVERYBODY),
    "staff.setup_page": (None, EVERYBODY),
    "staff.setup": (None, EVERYBODY),
    "staff.asset": (None, EVERYBODY),
    "staff.home": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.overview": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.help": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.search": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.search_typed": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.batches_typed": (Action.BOOKS, DESKS),
    "staff.search_page": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.confirm_page": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.carried_form": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.drop_carried": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.confirm_password": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.account": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.change_password": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.new_recovery_codes": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.new_passkey": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.add_passkey": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.remove_passkey": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.desk": (Action.ISSUE, DESKS),
    "staff.issue": (Action.ISSUE, DESKS),
    "staff.hear_codes_again": (Action.ISSUE, DESKS),
    "staff.recovery_codes": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.issued": (Action.ISSUE, DESKS),
    "staff.preview_slips": (Action.ISSUE, DESKS),
    "staff.print_slips": (Action.ISSUE, DESKS),
    "staff.print_receipts": (Action.ISSUE, DESKS),
    "staff.print_sheet": (Action.ISSUE, DESKS),
    "staff.sheet": (Action.ISSUE, DESKS),
    "staff.codes_csv": (Action.ISSUE, DESKS),
    "staff.mail_pass": (Action.ISSUE, DESKS),
    "staff.find": (Action.BOOKS, DESKS),
    "staff.pass_page": (Action.BOOKS, DESKS),
    "staff.replace": (Action.REPLACE, DESKS),
    "staff.void": (Action.REVOKE, DESKS),
    "staff.revoke": (Action.REVOKE, DESKS),
    "staff.undo": (Action.REVOKE, DESKS),
    "staff.batches": (Action.BOOKS, DESKS),
    "staff.batches_csv": (Action.BOOKS, DESKS),
    "staff.batch": (Action.BOOKS, DESKS),
    "staff.batch_csv": (Action.BOOKS, DESKS),
    "staff.suspend": (Action.REVOKE, DESKS),
    "staff.resume": (Action.REVOKE, DESKS),
    "staff.void_page": (Action.REVOKE, DESKS),
    "staff.revoke_page": (Action.REVOKE, DESKS),
    "staff.void_batch": (Action.REVOKE, DESKS),
    "staff.revoke_batch": (Action.REVOKE, DESKS),
    "staff.ticked_page": (Action.REVOKE, DESKS),
    "staff.void_ticked": (Action.REVOKE, DESKS),
    "staff.revoke_ticked": (Action.REVOKE, DESKS),
    "staff.reprint": (Action.ISSUE, DESKS),
    "staff.undo_batch": (Action.REVOKE, DESKS),
    "staff.sessions": (Action.SESSIONS, LOG),
    "staff.find_session": (Action.SESSIONS, LOG),
    "staff.export_page": (Action.SESSIONS, LOG),
    "staff.export_log": (Action.SESSIONS, LOG),
    "staff.session": (Action.SESSIONS, LOG),
    "staff.incident": (Action.SESSIONS, LOG),
    "staff.end_page": (Action.DISCONNECT, frozenset({Role.NETWORK})),
    "staff.ticked_sessions": (Action.DISCONNECT, frozenset({Role.NETWORK})),
    "staff.end_ticked": (Action.DISCONNECT, frozenset({Role.NETWORK})),
    "staff.end_session": (Action.DISCONNECT, frozenset({Role.NETWORK})),
    "staff.revoke_device": (Action.DISCONNECT, frozenset({Role.NETWORK})),
    "staff.unmask_devices": (Action.UNMASK_DEVICES, LOG),
    "staff.unmask_persons": (Action.UNMASK_PERSONS, frozenset({Role.PRIVACY})),
    "staff.reports": (Action.REPORT, ADMINS | {Role.REPORT}),
    "staff.report_file": (Action.REPORT, ADMINS | {Role.REPORT}),
    "staff.experiment_list": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.new_experiment": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.write_experiment": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.experiment": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.experiment_print": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.edit_experiment": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.change_experiment": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.amend_threshold": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.note_review": (Action.EXPERIMENT, ADMINS | {Role.REPORT}),
    "staff.signed_reports": (Action.REPORT, ADMINS | {Role.REPORT}),
    "staff.signed_report": (Action.REPORT, ADMINS | {Role.REPORT}),
    "staff.signed_report_file": (Action.REPORT, ADMINS | {Role.REPORT}),
    "staff.sign_report": (Action.REPORT, ADMINS | {Role.REPORT}),
    "staff.retention": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.change_term": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.confirm_term": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.withdraw_term": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.confirm_purge": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.holds": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.place_hold": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.confirm_hold": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.keep_hold": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.lift_hold": (Action.RETENTION, frozenset({Role.PRIVACY})),
    "staff.gateways": (Action.GATEWAYS, frozenset({Role.NETWORK, Role.ADMIN})),
    "staff.gateway": (Action.GATEWAYS, frozenset({Role.NETWORK, Role.ADMIN})),
    "staff.gateway_set_up": (Action.GATEWAYS, frozenset({Role.NETWORK, Role.ADMIN})),
    "staff.gateway_secrets": (Action.GATEWAYS, frozenset({Role.NETWORK, Role.ADMIN})),
    **of_records("networks", Action.NETWORKS),
    **of_records("sites", Action.SITES),
    **of_records("gateways", Action.GATEWAYS, adds=False),
    **of_records("plans", Action.PLANS, roles=ADMINS),
    "staff.plan_sentence": (Action.PLANS, ADMINS),
    "staff.site_place": (Action.SITES, NETWORK),
    "staff.network_preview": (Action.NETWORKS, NETWORK),
    "staff.sites_picture": (Action.SITES, NETWORK),
    "staff.sites_no_picture": (Action.SITES, NETWORK),
    "staff.networks_picture": (Action.NETWORKS, NETWORK),
    "staff.networks_no_picture": (Action.NETWORKS, NETWORK),
    "staff.gateways_new": (Action.GATEWAYS, NETWORK),
    "staff.gateways_add": (Action.GATEWAYS, NETWORK),
    "staff.rotate_gateway": (Action.GATEWAYS, NETWORK),
    "staff.gateway_credential": (Action.GATEWAYS, NETWORK),
    "staff.patrons": (Action.PATRONS, ADMINS),
    "staff.find_card": (Action.PATRONS, ADMINS),
    "staff.look_at_patrons": (Action.PATRONS, ADMINS),
    "staff.import_cards": (Action.PATRONS, ADMINS),
    "staff.limits": (Action.LIMITS, NETWORK),
    "staff.give_back_tries": (Action.LIMITS, NETWORK),
    **of_records("school-lines", Action.CLASSES),
    **of_records("classes", Action.CLASSES),
    **of_records("tablets", Action.CLASSES),
    "staff.classes": (Action.CLASS_HOURS, NETWORK | {Role.SCHOOL}),
    "staff.switch_class_on": (Action.CLASS_HOURS, NETWORK | {Role.SCHOOL}),
    "staff.switch_class_off": (Action.CLASS_HOURS, NETWORK | {Role.SCHOOL}),
    **of_records("devices", Action.DEVICES),
    **of_records("printers", Action.PRINTERS, roles=ADMINS),
    "staff.printers_try": (Action.PRINTERS, ADMINS),
    "staff.devices_link": (Action.DEVICES, NETWORK),
    "staff.devices_unlink": (Action.DEVICES, NETWORK),
    "staff.blocks": (Action.BLOCKS, NETWORK),
    "staff.find_block": (Action.BLOCKS, NETWORK),
    "staff.ask_block": (Action.BLOCKS, NETWORK),
    "staff.place_block": (Action.BLOCKS, NETWORK),
    "staff.lift_block": (Action.BLOCKS, NETWORK),
    "staff.alerts": (Action.ALERTS, TOWN),
    "staff.add_recipient": (Action.ALERTS, TOWN),
    "staff.try_recipient": (Action.ALERTS, TOWN),
    "staff.try_webhook": (Action.ALERTS, TOWN),
    "staff.remove_recipient": (Action.ALERTS, TOWN),
    "staff.poster": (Action.GATEWAYS, frozenset({Role.NETWORK, Role.ADMIN})),
    "staff.requisitions": (Action.REQUISITIONS, PRIVACY),
    "staff.new_requisition": (Action.REQUISITIONS, PRIVACY),
    "staff.add_requisition": (Action.REQUISITIONS, PRIVACY),
    "staff.requisition": (Action.REQUISITIONS, PRIVACY),
    "staff.package_page": (Action.REQUISITIONS, PRIVACY),
    "staff.make_requisition_package": (Action.REQUISITIONS, PRIVACY),
    "staff.close_requisition": (Action.REQUISITIONS, PRIVACY),
    "staff.campaigns": (Action.ADS, ADS),
    "staff.campaign": (Action.ADS, ADS),
    "staff.calendar": (Action.ADS, ADS),
    "staff.crisis": (Action.ADS, ADS),
    "staff.start_crisis": (Action.ADS, ADS),
    "staff.stop_crisis": (Action.ADS, ADS),
    "staff.payers": (Action.ADS, ADS),
    "staff.add_payer": (Action.ADS, ADS),
    "staff.payer": (Action.ADS, ADS),
    "staff.change_payer": (Action.ADS, ADS),
    "staff.elections": (Action.ADS, ADS),
    "staff.add_election": (Action.ADS, ADS),
    "staff.preview_campaign": (Action.ADS, ADS),
    "staff.new_campaign": (Action.ADS, ADS),
    "staff.draft_campaign": (Action.ADS, ADS),
    "staff.check_new_campaign": (Action.ADS, ADS),
    "staff.check_campaign": (Action.ADS, ADS),
    "staff.edit_campaign": (Action.ADS, ADS),
    "staff.change_campaign": (Action.ADS, ADS),
    "staff.propose_campaign": (Action.ADS, ADS),
    "staff.approve_campaign": (Action.ADS, ADS),
    "staff.pause_campaign": (Action.ADS, ADS),
    "staff.resume_campaign": (Action.ADS, ADS),
    "staff.stop_campaign": (Action.ADS, ADS),
    "staff.duplicate_campaign": (Action.ADS, ADS),
    "staff.set_message_picture": (Action.ADS, ADS),
    "staff.remove_message_picture": (Action.ADS, ADS),
    "staff.people": (Action.ACCOUNTS, ADMINS),
    "staff.groups": (Action.ACCOUNTS, ADMINS),
    "staff.grant_group": (Action.ACCOUNTS, ADMINS),
    "staff.revoke_group": (Action.ACCOUNTS, ADMINS),
    "staff.invite": (Action.ACCOUNTS, ADMINS),
    "staff.person": (Action.ACCOUNTS, ADMINS),
    "staff.invitation_page": (Action.ACCOUNTS, ADMINS),
    "staff.appoint": (Action.ACCOUNTS, ADMINS),
    "staff.reset": (Action.ACCOUNTS, ADMINS),
    "staff.disable": (Action.ACCOUNTS, ADMINS),
    "staff.enable": (Action.ACCOUNTS, ADMINS),
    "staff.two_person": (Action.SECOND, ADMINS | PRIVACY),
    "staff.grant_request": (Action.SECOND, ADMINS | PRIVACY),
    "staff.word_page": (Action.SECOND, ADMINS | PRIVACY),
    "staff.refuse_request": (Action.SECOND, ADMINS | PRIVACY),
    "staff.tokens": (Action.TOKENS, ADMINS),
    "staff.make_token": (Action.TOKENS, ADMINS),
    "staff.made_token": (Action.TOKENS, ADMINS),
    "staff.revoke_token": (Action.TOKENS, ADMINS),
    "staff.trail": (Action.TRAIL, ADMINS | {Role.PRIVACY}),
    "staff.trail_csv": (Action.TRAIL, ADMINS | {Role.PRIVACY}),
    # These end the sign-in, and come last.
    "staff.signout": (Action.OWN_ACCOUNT, EVERYBODY),
    "staff.signout_everywhere": (Action.OWN_ACCOUNT, EVERYBODY),
}
# What touches every network: no account of some of them may.
TOWN_WIDE = {
    *("staff.patrons", "staff.find_card", "staff.look_at_patrons", "staff.import_cards"),
    *("staff.groups", "staff.grant_group", "staff.revoke_group"),
    *("staff.start_crisis", "staff.stop_crisis", "staff.change_payer", "staff.add_election"),
    *("staff.alerts", "staff.add_recipient", "staff.try_recipient", "staff.try_webhook"),
    "staff.remove_recipient",
    "staff.change_term",
    "staff.confirm_term",
    "staff.withdraw_term",
    "staff.confirm_purge",
}
TOWN_WIDE |= {
    f"staff.{kind}_{name}" for kind in ("school-lines", "tablets", "printers") for name in RECORD_VIEWS
}
TOWN_WIDE |= {"staff.printers_try"}
# The parameters that name something of one network.
OWNED = {
    *("version_id", "experiment_id"),
    *("batch_id", "voucher_id", "staff_id", "access_id", "code", "token_id", "identity", "requisition_id"),
    *("hold_id", "request_id", "slug", "class_slug", "key", "block_id"),
}
OWNED_BY_FORM = {"staff.unmask_devices", "staff.unmask_persons"}
# A look at the log, at holds or at requisitions changes nothing but the audit log, and that always.
LOOKS = TRAIL
ON_RECORD = {
    *("staff.session", "staff.incident", "staff.end_page", "staff.holds"),
    *("staff.requisitions", "staff.requisition", "staff.package_page", "staff.report_file"),
    "staff.signed_report_file",
    *("staff.batches_csv", "staff.batch_csv", "staff.trail_csv"),
}
PASSES, ACCOUNTS = LOOKS | {"vouchers", "voucher_batches", "batch_keys"}, LOOKS | {"staff"}
TERMS, HOLDS = LOOKS | {"retention_rules", "term_changes"}, LOOKS | {"legal_holds"}
CAMPAIGNS = LOOKS | {"campaigns", "creatives", "advertisers"}
RECORDS = LOOKS | {"record_changes", "networks", "sites", "site_networks", "gateways"}
RECORDS |= {"plans", "school_lines", "tablet_classes", "class_stops", "tablets", "printers"}
SCHOOL_KINDS = ("school-lines", "classes", "tablets")
KINDS = ("networks", "sites", "gateways", "plans", "devices", "printers", *SCHOOL_KINDS)
ENDING = LOOKS | {"access_sessions", "leases", "feeds"}
# Whoever the register wants is online with the change.
DEVICES = ENDING | {"record_changes", "fixed_devices", "entitlements"}
# The tables that a post may change, for every post.
EFFECTS: dict[str, set[str]] = {
    "staff.signin": set(),
    "staff.signin_code": set(),
    "staff.setup": set(),
    "staff.confirm_password": set(),
    # No report is finished here: tests/portal/staff/test_signed_reports.py.
    "staff.sign_report": set(),
    "staff.write_experiment": LOOKS | {"experiments", "experiment_indicators"},
    "staff.change_experiment": LOOKS | {"experiments", "experiment_indicators"},
    "staff.amend_threshold": LOOKS | {"experiment_amendments"},
    "staff.note_review": LOOKS | {"experiment_reviews"},
    "staff.drop_carried": set(),
    "staff.find": set(),
    "staff.search": set(),
    "staff.search_typed": set(),
    "staff.batches_typed": set(),
    "staff.change_password": ACCOUNTS,
    "staff.new_recovery_codes": LOOKS | {"staff_recovery_codes"},
    "staff.signin_passkey": set(),
    # No directory answers here: tests/portal/staff/test_openid.py.
    "staff.openid_logout": set(),
    "staff.grant_group": set(),
    "staff.revoke_group": set(),
    # Nothing is added without a browser that makes one: tests/portal/staff/test_passkeys.py.
    "staff.add_passkey": set(),
    "staff.remove_passkey": LOOKS | {"staff_passkeys"},
    "staff.issue": PASSES,
    "staff.hear_codes_again": LOOKS,
    # These are posted after passes were issued.
    "staff.preview_slips": PASSES,
    "staff.print_sheet": PASSES,
    "staff.print_slips": PASSES,
    # No printer is reached here: tests/portal/staff/test_receipts.py.
    "staff.print_receipts": PASSES,
    "staff.printers_try": LOOKS,
    "staff.codes_csv": PASSES,
    # There is no mail server here: tests/portal/staff/test_reprints.py.
    "staff.mail_pass": PASSES,
    "staff.reprint": LOOKS,
    "staff.replace": PASSES,
    "staff.void": PASSES,
    "staff.revoke": PASSES | ENDING,
    "staff.undo": PASSES,
    "staff.suspend": PASSES,
    "staff.resume": PASSES,
    "staff.void_batch": PASSES,
    "staff.revoke_batch": PASSES | ENDING,
    "staff.void_ticked": PASSES,
    "staff.revoke_ticked": PASSES | ENDING,
    "staff.undo_batch": PASSES,
    "staff.find_session": LOOKS,
    "staff.export_log": LOOKS,
    "staff.end_session": ENDING,
    "staff.end_ticked": ENDING,
    # Nobody here has a device with a certificate: tests/portal/staff/test_devices.py.
    "staff.revoke_device": set(),
    "staff.unmask_devices": LOOKS,
    "staff.unmask_persons": LOOKS,
    "staff.gateway_secrets": LOOKS,
    **{
        f"staff.{kind}_{name}": RECORDS
        for kind in ("networks", "sites", "plans", "printers", *SCHOOL_KINDS)
        for name in ("add", "change", "undo", "take_in")
    },
    **{f"staff.gateways_{name}": RECORDS for name in ("change", "undo", "take_in")},
    **{f"staff.devices_{name}": DEVICES for name in ("add", "change", "undo", "take_in")},
    "staff.devices_link": LOOKS | {"fixed_devices"},
    "staff.devices_unlink": LOOKS | {"fixed_devices"},
    **{f"staff.{kind}_look": set() for kind in KINDS},
    "staff.plan_sentence": set(),
    "staff.site_place": set(),
    "staff.network_preview": set(),
    # Here no file is handed in, and nothing has a picture: tests/portal/staff/configuration/test_pictures.py.
    **{
        f"staff.{owner}_{name}": set()
        for owner in ("sites", "networks")
        for name in ("picture", "no_picture")
    },
    "staff.add_recipient": LOOKS | {"alert_recipients"},
    "staff.try_recipient": set(),
    "staff.try_webhook": set(),
    "staff.remove_recipient": LOOKS | {"alert_recipients"},
    # Where the network admits tablets they are online with it.
    "staff.switch_class_on": ENDING | {"tablet_classes", "entitlements"},
    "staff.switch_class_off": ENDING | {"tablet_classes"},
    "staff.change_term": TERMS,
    "staff.confirm_term": TERMS,
    "staff.withdraw_term": TERMS,
    "staff.confirm_purge": LOOKS
    | {"purge_runs", "purge_counts", "clock_watch", "retention_rules", "patrons"},
    "staff.gateways_add": LOOKS | {"gateways", "record_changes"},
    "staff.rotate_gateway": LOOKS | {"gateways"},
    "staff.find_card": set(),
    "staff.look_at_patrons": set(),
    # Sent with a file in tests/portal/staff/test_patrons.py.
    "staff.import_cards": LOOKS | {"patrons"},
    "staff.give_back_tries": LOOKS,
    "staff.find_block": set(),
    "staff.ask_block": set(),
    "staff.place_block": ENDING | {"blocks"},
    "staff.lift_block": LOOKS | {"blocks"},
    "staff.place_hold": HOLDS,
    "staff.confirm_hold": HOLDS,
    "staff.keep_hold": HOLDS,
    "staff.lift_hold": HOLDS,
    "staff.add_requisition": LOOKS | {"requisitions"},
    "staff.make_requisition_package": LOOKS | {"requisitions", "requisition_answers"},
    "staff.close_requisition": LOOKS | {"requisitions"},
    "staff.start_crisis": LOOKS | {"civic_overrides"},
    "staff.stop_crisis": LOOKS | {"civic_overrides"},
    "staff.add_payer": LOOKS | {"advertisers"},
    "staff.change_payer": LOOKS | {"advertisers"},
    "staff.add_election": LOOKS | {"elections"},
    "staff.draft_campaign": CAMPAIGNS,
    "staff.check_new_campaign": set(),
    "staff.check_campaign": set(),
    "staff.change_campaign": CAMPAIGNS,
    "staff.propose_campaign": CAMPAIGNS,
    "staff.approve_campaign": CAMPAIGNS,
    "staff.pause_campaign": CAMPAIGNS,
    "staff.resume_campaign": CAMPAIGNS,
    "staff.stop_campaign": CAMPAIGNS,
    "staff.duplicate_campaign": CAMPAIGNS,
    "staff.set_message_picture": CAMPAIGNS | {"image_files"},
    "staff.remove_message_picture": CAMPAIGNS | {"image_files"},
    "staff.invite": ACCOUNTS,
    "staff.appoint": ACCOUNTS,
    "staff.reset": ACCOUNTS | {"staff_recovery_codes"},
    "staff.disable": ACCOUNTS,
    "staff.enable": ACCOUNTS,
    "staff.grant_request": ACCOUNTS | {"staff_requests", "staff_recovery_codes"},
    "staff.refuse_request": LOOKS | {"staff_requests"},
    "staff.make_token": LOOKS | {"api_tokens"},
    "staff.revoke_token": LOOKS | {"api_tokens"},
    "staff.signout": LOOKS,
    "staff.signout_everywhere": ACCOUNTS,
}
# Done with nothing to do here.
IDLE = {
    # Nothing is ticked: tests/portal/staff/test_ticked.py and test_ticked_sessions.py.
    *("staff.void_ticked", "staff.revoke_ticked", "staff.end_ticked"),
    *("staff.hear_codes_again", "staff.setup", "staff.undo", "staff.undo_batch", "staff.resume"),
    # Where there is no link there is none to revoke.
    "staff.devices_unlink",
    # Whoever walks has no passkey.
    "staff.remove_passkey",
    "staff.signout_everywhere",
}
# Sent from the page of new codes.
SHOWING_CODES = {"staff.print_slips", "staff.preview_slips", "staff.codes_csv", "staff.mail_pass"}
SHOWING_CODES |= {"staff.print_receipts", "staff.print_sheet"}
# What a form says beside what all of them are sent with.
FIELDS = {
    "staff.switch_class_on": {"site": SCHOOL, "minutes": "60"},
    "staff.print_receipts": {"printer": f"printer-{MINE}"},
    "staff.ask_block": BLOCK,
    "staff.give_back_tries": {"who": "02:00:00:00:ee:01"},
    "staff.place_block": BLOCK,
}
# Posted with an empty form these are refused for what the form lacks, which is no question of policy.
NEEDS_MORE = {"staff.signin": 401, "staff.signin_code": 400, "staff.setup": 410, "staff.setup_page": 410}
# What was shown once is shown again to the sign-in that made it alone.
NEEDS_MORE |= dict.fromkeys(
    (
        "staff.issued",
        "staff.sheet",
        "staff.recovery_codes",
        "staff.invitation_page",
        "staff.made_token",
        "staff.word_page",
        "staff.gateway_credential",
    ),
    410,
)
# No mail server and no webhook is set; the form names no address.
NEEDS_MORE |= {
    "staff.try_recipient": 502,
    "staff.try_webhook": 404,
    "staff.add_recipient": 400,
    "staff.mail_pass": 502,
    "staff.print_receipts": 502,
    # To the receipt printer's file, which is asked for by the same form.
    "staff.print_sheet": 307,
}
NEEDS_MORE |= {"staff.try_recipient": 502, "staff.try_webhook": 404, "staff.add_recipient": 400}
# No directory answers here.
NEEDS_MORE |= dict.fromkeys(("staff.openid", "staff.openid_return", "staff.openid_logout"), 404)
NEEDS_MORE |= dict.fromkeys(("staff.sites_picture", "staff.networks_picture"), 400)
# These name no message of the campaign.
NEEDS_MORE |= dict.fromkeys(("staff.set_message_picture", "staff.remove_message_picture"), 404)


def routes(app: Flask) -> Iterator[tuple[Route, str]]:
    """Every staff route with each of its methods, in the order of the table."""
    order = list(TABLE)
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("staff.")]
    for rule in sorted(rules, key=lambda rule: order.index(rule.endpoint)):
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield rule, method


def ask(clerk: Clerk, rule: Route, method: str, things: Things, forms: dict[str, dict[str, str]]) -> int:
    """Ask for a route, with a form token that is good; the status."""
    _, path = rule.build(things.fill(rule)) or ("", "")
    if method == "GET":
        return clerk.get(path).status_code
    form = form_of(clerk, forms)
    fields = {
        "plan": "day",
        "desk": "pierre-bayle",
        "roles": "desk",
        "networks": MINE,
        "reach": "some",
        "login": "new.person",
        "password": PASSWORD,
        "scope": f"session:{things.access_id}",
        "reason": "somebody asked for it",
    }
    fields |= FIELDS.get(rule.endpoint, {})
    if rule.endpoint in SHOWING_CODES:
        # A form of its own: the same one sent again would issue nothing.
        clerk.post("/staff/desk", **form_of(clerk, {}), plan="day", desk="pierre-bayle")
        if "/desk/issued/" in (clerk.page.location or "") and clerk.follow().status_code == 200:
            fields |= {**clerk.form("/staff/desk/print"), "paper": "escpos"}
    return clerk.post(path, **{**fields, **form}).status_code


def form_of(clerk: Clerk, forms: dict[str, dict[str, str]]) -> dict[str, str]:
    """What every form of this sign-in holds, read once from a page; nothing for somebody who is not signed in.

    `forms` are those read before, by the cookie: a sign-in gets one that no browser had before.
    """
    cookie = clerk.browser.get_cookie("__Host-arobase-staff", "portal.example.org")
    sign_in = cookie.value if cookie else ""
    if sign_in not in forms:
        clerk.get("/staff/account")
        forms[sign_in] = clerk.form("/staff/account/signout") if clerk.page.status_code == 200 else {}
    return forms[sign_in]


def test_every_route_declares_what_it_needs_and_stands_in_the_table(app: Flask) -> None:
    endpoints = {rule.endpoint for rule, _ in routes(app)}
    assert endpoints == set(TABLE)
    with app.app_context():
        for endpoint, (action, _) in TABLE.items():
            need = need_of(endpoint)
            assert need is not None and need.action is action, endpoint


@pytest.mark.usefixtures("own_app")
def test_a_route_that_declares_nothing_is_shown_to_nobody(app: Flask, admin: Clerk) -> None:
    app._got_first_request = False
    app.add_url_rule("/staff/undeclared", "staff.undeclared", lambda: "shown")
    assert admin.get("/staff/undeclared").status_code == 403


@pytest.mark.parametrize("networks", [(MINE,), ()])
@pytest.mark.parametrize("role", list(Role))
def test_a_role_meets_what_the_table_says_and_does_no_more(
    app: Flask, desk: Desk, world: World, role: Role, networks: tuple[str, ...], services: Services
) -> None:
    """Own network, another's, all of them: the answer, and what it did to every table."""
    clerk = desk.at_work("walker", role, networks=networks)
    wrong: list[str] = []
    forms: dict[str, dict[str, str]] = {}
    for rule, method in routes(app):
        _, allowed = TABLE[rule.endpoint]
        # What names nothing is asked once.
        named = rule.arguments or rule.endpoint in OWNED_BY_FORM
        for things, is_mine in ((world.other, False), (world.mine, True)) if named else ((world.mine, True),):
            if rule.arguments & {"voucher_id", "batch_id"}:
                things = with_new_passes(services, things)
            if rule.endpoint == "staff.lift_block":
                things = with_new_block(services, things)
            if rule.arguments & {"slug", "override_id"}:
                things = with_new_campaign(services, things, rule.endpoint)
            if rule.endpoint in ("staff.edit_experiment", "staff.change_experiment"):
                things = with_coming_experiment(services, things)
            if "recipient_id" in rule.arguments:
                things = with_new_recipient(services, things)
            before = state(services)
            status = ask(clerk, rule, method, things, forms)
            changed = changed_since(before, services)
            if role not in allowed or (networks and rule.endpoint in TOWN_WIDE):
                is_right = status == 403 and not changed
            elif networks and not is_mine and (rule.arguments & OWNED or rule.endpoint in OWNED_BY_FORM):
                is_right = status == 404 and not changed
            elif method == "GET":
                is_right = fits(rule, method, status) and changed <= LOOKS
                is_right &= bool(changed) is (rule.endpoint in ON_RECORD)
            else:
                is_right = fits(rule, method, status) and changed <= EFFECTS[rule.endpoint]
                if is_mine and status in (200, 303) and rule.endpoint not in IDLE:
                    is_right &= bool(changed) is bool(EFFECTS[rule.endpoint])
            if "/staff/signin" in str(clerk.page.location) and "signout" not in rule.rule:
                is_right = False
            if not is_right:
                whose = "own" if is_mine else "other"
                wrong.append(f"{method} {rule.endpoint} {whose}: {status} {sorted(changed)}")
    assert not wrong, "\n".join(wrong)


def fits(rule: Route, method: str, status: int) -> bool:
    """Whether this is what somebody meets who may do it: done, or refused for what the form lacks."""
    if status in (200, 303) or status == NEEDS_MORE.get(rule.endpoint):
        return True
    return method == "POST" and status in (400, 409)


def test_what_posts_declares_what_it_changes(app: Flask) -> None:
    posted = {rule.endpoint for rule, method in routes(app) if method == "POST"}
    assert posted == set(EFFECTS)


def test_a_stranger_is_sent_to_sign_in_and_changes_nothing(app: Flask, world: World, db: object) -> None:
    from tests.clock import MovingClock

    stranger = Clerk(app, MovingClock())
    for rule, method in routes(app):
        status = ask(stranger, rule, method, world.mine, {})
        if TABLE[rule.endpoint][0] is None:
            assert status in (200, 303, 403, NEEDS_MORE.get(rule.endpoint)), rule.rule
        else:
            assert status == 303, rule.rule
            assert stranger.page.location.startswith("/staff/signin"), rule.rule


def test_nothing_is_changed_by_a_link(app: Flask, desk: Desk, world: World) -> None:
    """What posts is not there for GET and HEAD."""
    admin = desk.at_work("walker", Role.ADMIN)
    readable = {rule.rule for rule, method in routes(app) if method == "GET"}
    for rule, method in routes(app):
        if method == "POST" and rule.rule not in readable:
            _, path = rule.build(world.mine.fill(rule)) or ("", "")
            assert admin.get(path).status_code == 405, path
            assert admin.browser.head(path, base_url="https://portal.example.org").status_code == 405, path


def test_what_is_posted_without_a_token_is_refused(app: Flask, desk: Desk, world: World) -> None:
    admin = desk.at_work("walker", Role.ADMIN)
    for rule, method in routes(app):
        # What the provider posts is a token by itself.
        if method == "POST" and rule.endpoint != "staff.openid_logout":
            _, path = rule.build(world.mine.fill(rule)) or ("", "")
            assert admin.post(path, plan="day", desk="pierre-bayle").status_code == 403, path
