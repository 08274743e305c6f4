"""Every column of the tables that guests' pages and paper are made from, declared public or not, and marked.

A new column of these tables, and a new table, has to be declared here: `test_public.py` refuses what is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Integer, String, Table, select, update
from sqlalchemy.orm import Session

from db.base import Base, Json

# By table: what anybody may read, and what is for staff or for nobody. A session's own addresses are shown to the
# device that has it, and are public in this sense alone.
PUBLIC: dict[str, set[str]] = {
    "sites": {
        *(
            "slug",
            "name",
            "names",
            "kind",
            "address",
            "latitude",
            "longitude",
            "opening_hours",
            "school_zone",
        ),
        "zone",
        *("step_free", "state", "state_since", "state_until", "ads_allowed", "photo"),
        *("lease_seconds", "viewing_seconds", "longest_wait_seconds"),
    },
    "networks": {
        *(
            "slug",
            "name",
            "ssid",
            "kind",
            "signin_methods",
            "lease_seconds",
            "renewal_seconds",
            "idle_seconds",
        ),
        *(
            "viewing_seconds",
            "longest_wait_seconds",
            "ads",
            "devices_per_person",
            "terms",
            "terms_version",
            "look",
            "rate_wanted_kbps",
        ),
    },
    "site_networks": set(),
    "gateways": {"identity"},
    "feeds": set(),
    "plans": {"kind", "length_minutes"},
    "voucher_batches": {"id", "event", "starts_at", "ends_at"},
    "vouchers": {"number", "batch_id", "until"},
    "advertisers": {"name", "is_town"},
    "campaigns": set(),
    "civic_overrides": {"texts"},
    "creatives": {"texts", "more", "media", "viewing_seconds"},
    # To the patron alone, as a session's own addresses are.
    "devices": {"id", "name", "until"},
    "patrons": set(),
    "staff": set(),
    "access_sessions": {
        *("id", "subject", "method", "mac", "address", "started_at", "until", "ended_at", "end_reason"),
        "terms_version",
    },
}
PRIVATE: dict[str, set[str]] = {
    "sites": {"id", "eu_funded", "rate_down_kbps", "rate_up_kbps", "contact", "note"},
    "networks": {"id", "rate_down_kbps", "rate_up_kbps"},
    "site_networks": {"site_id", "network_id"},
    "gateways": {
        *("id", "kind", "credential_digest", "site_id", "network_id", "client_prefixes", "redirector_url"),
        *("public_addresses", "ports_per_client", "health"),
        *("options", "previous_digest", "previous_until", "is_retired"),
    },
    "feeds": {"gateway_id", "version", "confirmed_version", "seen_at"},
    "plans": {
        *("id", "slug", "names", "grace_minutes", "least_minutes", "ends_at", "devices", "rate_down_kbps"),
        *("rate_up_kbps", "networks", "sites", "is_offered"),
    },
    "voucher_batches": {"plan_id", "count", "note", "issued_at", "issued_by", "desk_site", "suspended_at"},
    "vouchers": {
        *("id", "digest", "issued_at", "used_at", "voided_at", "void_reason", "voided_by", "replaces_id"),
    },
    "advertisers": {"id", "slug", "identity", "contact"},
    "civic_overrides": {
        *("id", "sites", "starts_at", "ends_at", "started_by", "stopped_at", "stopped_by"),
    },
    "campaigns": {
        *("id", "slug", "name", "advertiser_id", "category", "conditions", "state", "starts_at", "ends_at"),
        *(
            "hours",
            "weight",
            "networks",
            "sites",
            "site_kinds",
            "languages",
            "goal",
            "daily_cap",
            "total_cap",
        ),
        *(
            "price_cents",
            "authored_by",
            "authored_at",
            "proposed_by",
            "approved_by",
            "approved_at",
            "claimed",
            "revision",
        ),
        "stopped_at",
    },
    "creatives": {"id", "slug", "campaign_id", "kind"},
    "devices": {
        *(
            "serial",
            "subject",
            "encrypted_login",
            "issued_at",
            "terms_version",
            "terms_language",
            "terms_digest",
        ),
        *("mac", "joined_at", "revoked_at", "nonce"),
    },
    "patrons": {"id", "card", "secret_hash", "category", "expires_on", "blocked"},
    "staff": {
        *("id", "login", "name", "roles", "networks", "sites", "password_hash", "totp_seed", "totp_step"),
        *("setup_digest", "setup_until", "session_version", "created_at", "disabled_at"),
        *("setup_word_digest", "handed_by", "all_networks", "home_site"),
        *("issuer", "subject", "groups", "affirmed_at"),
    },
    "access_sessions": {
        *(
            "entitlement_id",
            "network_id",
            "gateway_id",
            "site_id",
            "landed_at",
            "last_seen_at",
            "previous_id",
        ),
        *("terms_language", "terms_digest", "resume_digest"),
    },
}
# Tables of which guests' pages and paper show sums, or numbers and instants of the guest's own connection, at most.
ELSEWHERE = {
    *("ad_day_figures", "api_tokens", "attempts", "clock_watch", "day_figures", "day_sketches", "decisions"),
    *("computed_reports", "signed_reports", "experiments", "experiment_indicators"),
    *("experiment_amendments", "experiment_reviews"),
    *(
        "advertiser_links",
        "bill_years",
        "blocks",
        "bills",
        "campaign_days",
        "campaign_reaches",
        "choice_inputs",
        "creative_days",
        "open_breaks",
        "served_impressions",
    ),
    *("drifts", "elections", "entitlements", "figure_days", "figure_salts", "gateway_lives", "image_files"),
    "impressions",
    "leases",
    *("legal_holds", "month_sketches", "outages", "pass_requests", "purge_counts", "purge_runs"),
    *(
        "batch_keys",
        "record_changes",
        "requisition_answers",
        "requisition_bases",
        "requisitions",
        "retention_rules",
        "sightings",
    ),
    *("client_landings", "gateway_dialogues", "nas_sessions", "certificate_authorities"),
    # Guests meet nothing of printers and schools.
    "printers",
    # And of fixed devices what their owner may see alone: tests/portal/test_device_owners.py.
    "fixed_devices",
    *("school_lines", "tablet_classes", "class_stops", "tablets"),
    *(
        "staff_answers",
        "staff_group_grants",
        "staff_passkeys",
        "staff_recovery_codes",
        "staff_requests",
        "staff_sessions",
        "term_changes",
        "trail",
        "trail_head",
    ),
    *("alert_messages", "alert_recipients", "trail_links", "trail_seals", "troubles", "usage"),
}
# What works only as it is; where its value is long enough to be told from others, it is its own marker.
KEPT = {
    *(
        "slug",
        "identity",
        "credential_digest",
        "digest",
        "zone",
        "school_zone",
        "opening_hours",
        "mac",
        "address",
        "card",
    ),
    *("client_prefixes", "signin_methods", "networks", "sites", "secret_hash", "password_hash", "subject"),
    *(
        "public_addresses",
        "desk_site",
        "terms_digest",
        "terms_language",
        "roles",
        "category",
        "look",
        "media",
        "photo",
        "kind",
    ),
    *("site_kinds", "languages", "hours", "state"),
}
COUNTED = {"rate_down_kbps", "rate_up_kbps", "weight", "rate_wanted_kbps"}
DISTINCT = 7
_numbers = itertools.count(1)


def undeclared() -> set[str]:
    """What of the database nobody has said to be public or not."""
    found = set()
    for name, table in Base.metadata.tables.items():
        if name in PUBLIC:
            found |= {f"{name}.{column}" for column in _names(table) ^ (PUBLIC[name] | PRIVATE[name])}
            found |= {f"{name}.{column} twice" for column in PUBLIC[name] & PRIVATE[name]}
        elif name not in ELSEWHERE:
            found.add(name)
    return found


def mark_everything(db: Session) -> None:
    """Put a text of its own into each column of each row that can hold one."""
    for table in _tables():
        for row in db.execute(select(table)).mappings().all():
            here = [column == row[column.name] for column in table.primary_key.columns]
            values = dict(_marked(table, row))
            if values:
                db.execute(update(table).where(*here).values(**values))


def markers(db: Session) -> dict[str, set[str]]:
    """The texts by which each column is known, by ``table.column``."""
    found: dict[str, set[str]] = {}
    for table in _tables():
        for row in db.execute(select(table)).mappings():
            for column, value in row.items():
                texts = {text for text in _texts(value) if len(text) >= DISTINCT or column in COUNTED}
                found.setdefault(f"{table.name}.{column}", set()).update(texts)
    return found


def _tables() -> list[Table]:
    return [Base.metadata.tables[name] for name in PUBLIC if name != "site_networks"]


def _names(table: Table) -> set[str]:
    return {column.name for column in table.columns}


def _marked(table: Table, row: Any) -> Iterator[tuple[str, object]]:
    for column in table.columns:
        if column.name in KEPT or column.primary_key:
            continue
        number = next(_numbers)
        text = f"zq{number:05}x"
        if column.name in COUNTED:
            yield column.name, 7_000_000 + number
        elif isinstance(column.type, Json):
            yield column.name, _marked_document(row[column.name], text)
        elif type(column.type) is String or column.type.__class__.__name__ == "Text":
            yield column.name, text
        elif isinstance(column.type, Integer):
            continue


def _marked_document(document: Any, text: str) -> Any:
    """The same shape with a marker for each text in it; what was empty holds one."""
    if isinstance(document, dict) and document:
        return {key: _marked_document(value, f"{text}{key}") for key, value in document.items()}
    if isinstance(document, list):
        return [text]
    return text if isinstance(document, str) else {"zq": text}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        yield str(value)
