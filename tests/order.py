"""The order in which `make test` hands out files to its workers (`-p tests.order`).

A long file that comes last runs alone while the other workers have nothing left to do: the longest come first.
Those that mostly wait, for a network, a browser or a deadline of the kernel, alternate with those that mostly compute,
so that the one kind runs while the other waits. The order is by `--durations`; what is not named is short, and
follows in the order of its folders.
"""

from __future__ import annotations

import itertools

import pytest

COMPUTING = (
    "tests/portal/staff/test_matrix.py",
    "tests/portal/test_another_town.py",
    "tests/portal/staff/test_repeats.py",
    "tests/portal/staff/test_audit_fronts.py",
    "tests/portal/staff/test_audit_actions.py",
    "tests/portal/staff/test_pages.py",
    "tests/test_migrations.py",
    "tests/portal/test_doctor.py",
    "tests/portal/staff/test_desk.py",
    "tests/portal/test_guest_repeats.py",
    "tests/portal/staff/test_signin.py",
    "tests/portal/staff/test_passes.py",
    "tests/portal/staff/test_openid.py",
    "tests/portal/staff/configuration/test_town_by_pages.py",
    "tests/portal/staff/configuration/test_records.py",
    "tests/sessions/statistics/test_gathering.py",
    "tests/portal/staff/test_two_person.py",
    "tests/portal/staff/test_printing.py",
    "tests/portal/staff/test_log_pages.py",
    "tests/portal/staff/test_requisitions_pages.py",
    "tests/portal/staff/test_journey.py",
    "tests/portal/test_figures.py",
    "tests/portal/printing/test_sheets.py",
    "tests/portal/api/test_tokens.py",
    "tests/portal/staff/test_log.py",
    "tests/portal/staff/test_retention.py",
    "tests/portal/api/test_passes.py",
)
WAITING = (
    "tests/portal/pages/test_every_page.py",
    "tests/portal/pages/test_repeats.py",
    "tests/lab/test_who_asks.py",
    "tests/portal/pages/test_journeys.py",
    "tests/lab/test_staff.py",
    "tests/lab/test_run.py",
    "tests/gateways/test_neighbour_spoofing.py",
    "tests/gateways/test_following.py",
    "tests/lab/test_hotspot.py",
    "tests/portal/pages/test_hostile_texts.py",
    "tests/front/test_strangers.py",
    "tests/gateways/test_strangers.py",
    "tests/gateways/test_survival.py",
    "tests/gateways/test_proof.py",
    "tests/gateways/test_lease_file.py",
    "tests/gateways/contract/test_contract.py",
    "tests/gateways/test_flood.py",
    "tests/gateways/test_deadlines.py",
    "tests/gateways/test_spoofing.py",
    "tests/gateways/test_dhcp.py",
    "tests/gateways/test_new_addresses.py",
    "tests/gateways/test_clock_steps.py",
    "tests/front/test_long_polls.py",
)
FIRST = tuple(name for pair in itertools.zip_longest(COMPUTING, WAITING) for name in pair if name is not None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files of `FIRST` to the front; within a file nothing moves."""
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))
