"""The feed of a school's gateway names the hours of its wifi; that of any other place does not."""

from __future__ import annotations

from typing import Any

from flask import Flask

from portal.services import Services
from sites.models import SiteKind
from sites.schools.models import LineMedium, SchoolLine, Stage
from sites.schools.timetable import WifiRule
from tests.town import Town, credential_of


def feed(app: Flask, identity: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {credential_of(identity)}"}
    answer = app.test_client().get("/gateways/nftables/feed?since=0", headers=headers)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def test_a_school_is_told_the_hours_of_its_wifi_and_nobody_else_is(
    app: Flask, services: Services, town: Town
) -> None:
    with services.make_session.begin() as db:
        site = db.merge(town.battant.site)
        site.kind = SiteKind.SCHOOL
        line = {"stage": Stage.PRIMARY, "medium": LineMedium.FIBRE, "wifi": WifiRule.HOURS}
        db.add(SchoolLine(site=site, wifi_hours="Mo-Su 08:00-17:00", **line))
    hours = feed(app, "gw-battant")["wifi"]
    assert len(hours["on"]) == 14
    assert {end - start for start, end in hours["on"]} == {9 * 3600.0}
    assert "wifi" not in feed(app, "gw-viotte")
