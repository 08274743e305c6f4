"""What `make test` leaves to `make test-all`, which sets TEST_ALL and runs everything.

Left out are tests marked `release`, and the PostgreSQL twins of the modules below. What these modules ask is what a
page, a command or a file says: the portal's code above the services has no SQL that differs between databases. The
services that it calls have it, and their own tests in tests/auth, tests/sessions, tests/ads and tests/db run on both,
as do the journeys of guests, clerks and programs that are not named here, and one walk through every page of staff.
"""

from __future__ import annotations

import os

import pytest

ON_ONE_DATABASE = (
    "tests/ads/test_files_beside.py",
    "tests/portal/staff/test_alerts.py",
    "tests/portal/test_template_cache.py",
    "tests/portal/test_prometheus.py",
    "tests/portal/test_wifi_feed.py",
    "tests/portal/test_kept_credentials.py",
    "tests/portal/test_managed_figures.py",
    "tests/portal/test_opennds.py",
    "tests/portal/test_opennds_carried.py",
    "tests/portal/staff/test_classes.py",
    "tests/portal/staff/test_devices.py",
    "tests/portal/staff/test_error_pages.py",
    "tests/portal/staff/test_experiments.py",
    "tests/portal/staff/test_receipts.py",
    "tests/portal/staff/test_reprints.py",
    "tests/portal/staff/test_signed_reports.py",
    "tests/portal/test_profiles.py",
    "tests/portal/test_site_names.py",
    "tests/portal/test_after_access.py",
    "tests/portal/test_assets.py",
    "tests/portal/test_blocked.py",
    "tests/portal/test_breaks.py",
    "tests/portal/test_advertisers.py",
    "tests/portal/test_audit.py",
    "tests/portal/test_campaigns_commands.py",
    "tests/portal/test_capport.py",
    "tests/portal/test_commands.py",
    "tests/portal/test_creatives.py",
    "tests/portal/test_dynamic_authorization.py",
    "tests/portal/test_face.py",
    "tests/portal/test_figures.py",
    "tests/portal/test_gateway_set_up.py",
    "tests/portal/test_guest_languages.py",
    "tests/portal/test_guest_repeats.py",
    "tests/portal/test_incidents.py",
    "tests/portal/test_intruders.py",
    "tests/portal/test_language_change.py",
    "tests/portal/test_passes_commands.py",
    "tests/portal/test_pictures.py",
    "tests/portal/test_previews.py",
    "tests/portal/test_public.py",
    "tests/portal/test_radius_calls.py",
    "tests/portal/test_report_comparison.py",
    "tests/portal/test_radius_config.py",
    "tests/portal/test_refusals.py",
    "tests/portal/test_report_command.py",
    "tests/portal/test_requisitions_commands.py",
    "tests/portal/test_served.py",
    "tests/portal/test_sessions_commands.py",
    "tests/portal/test_sheets.py",
    "tests/portal/test_site_states.py",
    "tests/portal/test_status_promises.py",
    "tests/portal/test_troubles.py",
    "tests/portal/test_stencils.py",
    "tests/portal/test_uam.py",
    "tests/portal/test_walks_between_kinds.py",
    "tests/portal/test_who_asks.py",
    "tests/portal/test_yours.py",
    "tests/portal/api/test_description.py",
    "tests/portal/api/test_orders.py",
    "tests/portal/api/test_passes.py",
    "tests/portal/api/test_tokens.py",
    "tests/portal/printing/test_logos.py",
    "tests/portal/printing/test_posters.py",
    "tests/portal/staff/test_accounts.py",
    "tests/portal/staff/test_alone.py",
    "tests/portal/staff/test_campaigns_pages.py",
    "tests/portal/staff/test_creative_upload.py",
    "tests/portal/staff/test_audit_actions.py",
    "tests/portal/staff/test_audit_fronts.py",
    "tests/portal/staff/test_blocked.py",
    "tests/portal/staff/test_carried.py",
    "tests/portal/staff/test_denials.py",
    "tests/portal/staff/test_desk.py",
    "tests/portal/staff/test_frame.py",
    "tests/portal/staff/configuration/test_plans.py",
    "tests/portal/staff/test_gateway_credentials.py",
    "tests/portal/staff/test_gateways.py",
    "tests/portal/staff/test_limits.py",
    "tests/portal/staff/test_patrons.py",
    "tests/portal/staff/test_log.py",
    "tests/portal/staff/test_log_exports.py",
    "tests/portal/staff/test_matrix.py",
    "tests/portal/staff/test_overview.py",
    "tests/portal/staff/test_openid.py",
    "tests/portal/staff/test_passes.py",
    "tests/portal/staff/test_staff_ldap.py",
    "tests/portal/staff/test_printing.py",
    "tests/portal/staff/test_repeats.py",
    "tests/portal/staff/test_reports.py",
    "tests/portal/staff/test_requisitions.py",
    "tests/portal/staff/test_retention.py",
    "tests/portal/staff/test_signed_in.py",
    "tests/portal/staff/test_signin.py",
    "tests/portal/staff/test_tokens.py",
    "tests/portal/staff/test_two_person.py",
    "tests/sessions/statistics/test_months.py",
    "tests/sessions/statistics/test_report.py",
)
# What two requests do to one row, and queries of the portal's own.
ON_BOTH_ALL_THE_SAME = (
    "tests/portal/staff/test_classes.py::test_the_button_lets_the_tablets_in_and_out[",
    "tests/portal/staff/test_signed_reports.py::test_the_database_refuses_to_change_or_delete_it[",
    "tests/sessions/statistics/test_months.py::test_a_month_is_closed_once[",
    "tests/sessions/statistics/test_months.py::test_a_salt_is_made_once_and_stays[",
    "tests/sessions/statistics/test_months.py::test_days_months_and_both_sites_are_counted[",
    "tests/sessions/statistics/test_report.py::test_sites_networks_and_everything_add_up[",
    "tests/portal/api/test_orders.py::test_a_retry_gets_the_same_codes_and_issues_nothing[",
    "tests/portal/api/test_orders.py::test_passes_are_ordered_and_let_a_visitor_in[",
    "tests/portal/staff/test_matrix.py::test_a_role_meets_what_the_table_says_and_does_no_more[postgresql-admin-networks0]",
    "tests/portal/staff/test_repeats.py::test_a_form_sent_twice_leads_to_the_same_place[postgresql-staff.grant_request]",
    "tests/portal/staff/test_repeats.py::test_a_form_sent_twice_leads_to_the_same_place[postgresql-staff.invite]",
    "tests/portal/staff/test_repeats.py::test_a_form_sent_twice_leads_to_the_same_place[postgresql-staff.issue]",
    "tests/portal/staff/test_repeats.py::test_a_form_sent_twice_leads_to_the_same_place[postgresql-staff.place_hold]",
    "tests/portal/staff/test_signin.py::test_the_second_step_opens_once[",
    "tests/portal/staff/test_two_person.py::test_a_request_is_granted_once_and_within_a_week[",
    "tests/portal/staff/test_two_person.py::test_an_account_of_the_log_takes_link_and_word[",
    "tests/portal/test_guest_repeats.py::test_pressed_twice_before_the_first_answer_came[",
)


def everything() -> bool:
    return bool(os.environ.get("TEST_ALL"))


def leave_out(items: list[pytest.Item]) -> list[pytest.Item]:
    """Take out of `items` what only `make test-all` runs; gives what was taken out."""
    if everything():
        return []
    out = {item for item in items if item.get_closest_marker("release") or _is_spared_twin(item)}
    items[:] = [item for item in items if item not in out]
    return list(out)


def _is_spared_twin(item: pytest.Item) -> bool:
    case = getattr(item, "callspec", None)
    if case is None or case.params.get("database_url") != "postgresql":
        return False
    return item.nodeid.startswith(ON_ONE_DATABASE) and not item.nodeid.startswith(ON_BOTH_ALL_THE_SAME)
