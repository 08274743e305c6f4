"""The lines for the boxes of each make: they lead to the portal, and say each secret that is masked elsewhere."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts

MAKES = sorted(
    path.parents[1].name for path in (Path(__file__).parents[2] / "gateways").glob("*/wire/signin.txt")
)
LANDING = "https://portal.example.org/gateways/make/gate-0/"
SHARED, UAM = "shared-secret-of-52-letters", "uamsecret-of-52-letters"


@pytest.mark.parametrize("make", MAKES)
def test_the_lines_of_each_make_lead_here(make: str) -> None:
    facts = BoxFacts(
        identity="gate-0",
        host="portal.example.org",
        landing=LANDING,
        radius="portal.example.org",
        shared_secret=SHARED,
        uamsecret=UAM,
    )
    written: tuple[Lines, ...] = importlib.import_module(f"gateways.{make}.lines").lines(facts)
    dialect = importlib.import_module(f"gateways.{make}.dialect").DIALECT
    text = "\n".join(f"{one.where}\n{one.text}" for one in written)
    assert all(one.where and one.text.endswith("\n") for one in written)
    assert SHARED in text and "portal.example.org" in text
    assert LANDING in text or LANDING.partition("portal.example.org")[2] in text
    assert (UAM in text) is dialect.is_signed
    # Pages that forward a browser say every parameter that is read of it.
    if "http-equiv" in text:
        asked = {*dialect.mac, *dialect.address, *dialect.login.url, *dialect.error}
        assert all(f"{name}=" in text for name in asked)
