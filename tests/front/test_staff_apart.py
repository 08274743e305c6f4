"""Staff with an address of their own, which guests do not reach."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path

import pytest

from config import Secret, Settings
from portal.cli.nginx import Front, ImpossibleFront, render
from tests.front.conftest import HOST, SECONDS, serving

PORTAL, DESK = "https://portal.example.org", "https://desk.example.org"


def settings(staff_url: str | None) -> Settings:
    return Settings(Secret("x" * 40), PORTAL, "sqlite:///nowhere", staff_url=staff_url)


def test_what_guests_reach_has_no_way_for_staff_to_sign_in(tmp_path: Path) -> None:
    with serving(tmp_path, staff_apart=True) as site:
        desk = (site.services.settings.staff_url or "").removeprefix("https://")
        for path in (
            "/staff/signin",
            "/staff/",
            "/staff",
            "/api/v1/openapi.json",
            "//staff/signin",
            "/%73taff/signin",
        ):
            assert site.ask(path)[0].status == 404, path
        # The staff's name said to the guests' listener.
        assert site.ask("/staff/signin", headers={"Host": desk})[0].status == 421
        assert site.ask("/hotspots")[0].status == 200
        trust = ssl._create_unverified_context()
        line = http.client.HTTPSConnection(HOST, int(desk.partition(":")[2]), timeout=SECONDS, context=trust)
        for path, status in (("/staff/signin", 200), ("/hotspots", 404), ("/gateways/nftables/feed", 404)):
            line.request("GET", path, headers={"Host": desk})
            answer = line.getresponse()
            answer.read()
            assert answer.status == status, path
        line.close()


def test_a_name_of_their_own_needs_a_place_to_listen_and_the_other_way_round() -> None:
    plain = Front(Path("cert"), Path("key"))
    with pytest.raises(ImpossibleFront, match="--staff-listen"):
        render(plain, settings(DESK))
    with pytest.raises(ImpossibleFront, match="AROBASE_STAFF_URL"):
        render(Front(Path("cert"), Path("key"), staff_listens=("192.0.2.1:443",)), settings(None))
    assert "proxy_pass http://127.0.0.1:8003" in render(
        plain, settings(PORTAL.upper().replace("HTTPS", "https"))
    )


def test_where_the_kernel_has_no_ipv6_none_is_listened_on(monkeypatch: pytest.MonkeyPatch) -> None:
    front = Front(Path("cert"), Path("key"))
    for there, found in ((True, True), (False, False)):
        monkeypatch.setattr("portal.cli.nginx.has_ipv6", lambda there=there: there)
        assert ("[::]:443" in render(front, settings(None))) is found
