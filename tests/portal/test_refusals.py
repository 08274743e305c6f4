"""What the portal must refuse: what the guest sees instead, and that nothing changed."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import Secret, Settings
from gateways import landing_token
from portal.app import create_app
from portal.http.security_headers import MOST_NAMES_TOLD
from portal.retention import purging
from portal.services import Services
from sessions.models import AccessSession, ClientObservation, Lease
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, PORTAL, Agent, Phone
from tests.town import ADA_PHONE, BO_PHONE, Town, credential_of


def nothing_happened(db: Session) -> bool:
    db.rollback()
    return not db.scalar(select(func.count(AccessSession.id))) and not db.scalar(select(func.count(Lease.id)))


# Who is asking


def test_a_mac_or_address_in_a_parameter_is_never_believed(
    phone: Phone, clock: MovingClock, db: Session
) -> None:
    victim = {
        "mac": BO_PHONE,
        "clientmac": BO_PHONE,
        "ip": "10.66.0.66",
        "clientip": "10.66.0.66",
        "id": BO_PHONE,
    }
    query = "&".join(f"{name}={value}" for name, value in victim.items())
    phone.get(f"/?landing={phone.landing_token()}&{query}", **{"X-Client-Mac": BO_PHONE})
    phone.press("/pause", **victim)
    access = db.scalars(select(AccessSession)).one()
    assert (access.mac, access.address) == (ADA_PHONE, "10.66.0.5")


def test_somebody_who_is_not_behind_a_gateway_gets_a_plain_page(app: Flask, town: Town, db: Session) -> None:
    stranger = Phone(app, town.station, address="192.0.2.9")
    page = stranger.get("/")
    assert page.status_code == 200
    assert "WIFILIB" in page.text
    assert "<form" not in page.text.split("<main")[1].split("</main")[0]


def test_a_client_without_a_landing_token_is_sent_to_its_gateway(phone: Phone) -> None:
    assert phone.get("/", follow=False).location == "http://10.66.0.1:8081/"


def test_a_client_whose_address_the_gateway_reported_needs_no_token(phone: Phone, station: Agent) -> None:
    seen = {"clients": [{"client": phone.mac, "addresses": [phone.address]}]}
    assert station.call("POST", "/gateways/nftables/arrivals", json=seen).status_code == 204
    assert "/pause" in phone.get("/").text


def test_a_token_used_from_another_address_is_refused(
    phone: Phone, app: Flask, town: Town, db: Session
) -> None:
    thief = Phone(app, town.station, BO_PHONE, "10.66.0.66")
    answer = thief.get(f"/?landing={phone.landing_token()}")
    assert answer.status_code == 403
    phone.land()
    stolen = phone.form("/pause")
    assert thief.post("/pause", **stolen).status_code == 403
    assert nothing_happened(db)


def test_a_page_of_another_browser_is_refused(phone: Phone, app: Flask, town: Town, db: Session) -> None:
    """A form token of another browser, posted from one that has a cookie of its own."""
    phone.land()
    mine = phone.form("/pause")
    other = Phone(app, town.station, BO_PHONE, "10.66.0.8")
    other.land()
    assert other.post("/pause", **mine).status_code == 403
    assert nothing_happened(db)


def test_an_old_tab_of_the_same_phone_is_no_page_of_another_device(
    phone: Phone, app: Flask, town: Town
) -> None:
    """A captive window and a browser keep cookies apart; so does a browser that has forgotten them since."""
    phone.land()
    old = phone.form("/pause")
    other = Phone(app, town.station, phone.mac, phone.address)
    other.land()
    assert other.post("/pause", **old).status_code == 303


# Landing tokens


@pytest.mark.parametrize(
    "spoil",
    [
        lambda phone: phone.landing_token(key=b"k" * 32),
        lambda phone: phone.landing_token(now=phone.app.extensions["arobase"].clock().timestamp() - 601),
        lambda phone: phone.landing_token(now=phone.app.extensions["arobase"].clock().timestamp() + 3600),
        lambda phone: phone.landing_token()[:-2],
        lambda phone: "nonsense",
    ],
    ids=["foreign key", "expired", "from the future", "cut short", "nonsense"],
)
def test_a_bad_landing_token_opens_nothing(phone: Phone, db: Session, spoil) -> None:
    answer = phone.get(f"/?landing={spoil(phone)}", follow=False)
    assert answer.location == "http://10.66.0.1:8081/"
    assert nothing_happened(db)


def test_a_landing_token_of_another_gateway_is_not_this_ones(phone: Phone, app: Flask) -> None:
    keys = app.extensions["arobase"].gateway_secrets
    key = keys.landing_key(landing_token.credential_digest(credential_of("gw-battant")))
    answer = phone.get(f"/?landing={phone.landing_token(key=key)}", follow=False)
    assert answer.status_code == 302


# Posts from elsewhere, state by GET


@pytest.mark.parametrize("path", ["/leave", "/language"])
def test_state_changes_by_post_only(phone: Phone, path: str) -> None:
    answer = phone.get(path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST, OPTIONS" or "POST" in answer.headers["Allow"]
    assert "button" in answer.text.lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": PORTAL, "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_a_post_from_another_site_is_refused(phone: Phone, db: Session, headers: dict[str, str]) -> None:
    phone.land()
    form = phone.form("/pause")
    assert phone.post("/pause", headers=headers, **form).status_code == 403
    assert nothing_happened(db)


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": PORTAL}, {"Origin": PORTAL, "Sec-Fetch-Site": "same-origin"}], ids=str
)
def test_a_post_from_our_own_page_is_taken(phone: Phone, headers: dict[str, str]) -> None:
    phone.land()
    assert phone.post("/pause", headers=headers, **phone.form("/pause")).status_code == 303


def test_a_post_without_a_token_gives_nobody_anything(phone: Phone, db: Session) -> None:
    assert phone.post("/pause").status_code == 200
    assert phone.post("/signin", login=ADA, secret=ADA_PIN).status_code == 200
    assert nothing_happened(db)


# Where we send people


@pytest.mark.parametrize(
    "target",
    ["javascript:alert(1)", "//evil.example", "/\\evil.example", "https:evil.example", "\thttps://evil.example",
     "https://portal.example.org@evil.example", "http:///evil.example", "%2e%2e//evil.example", "x" * 4000],
)  # fmt: skip
@pytest.mark.parametrize("name", ["url", "next", "userurl", "redirect", "originurl", "target"])
def test_no_parameter_leads_anywhere_else(phone: Phone, name: str, target: str) -> None:
    from urllib.parse import quote

    phone.land()
    form = phone.form("/pause")
    answer = phone.post(f"/pause?{name}={quote(target)}", **form, **{name: target})
    assert answer.location is None or answer.location.startswith(("/opening?", "/status?"))


@pytest.mark.parametrize(
    "host", ["evil.example", "portal.example.org:444", "[::1]", "portal.example.org.evil.example"]
)
def test_an_unknown_host_is_told_our_address_and_never_repeated_nor_led_in_a_circle(
    app: Flask, town: Town, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy that passes on another Host would send every page to itself for ever."""
    for _ in range(2):
        answer = app.test_client().get("/hotspots", headers={"Host": host})
        assert answer.status_code == 421
        assert answer.location is None
        assert f"{PORTAL}/" in answer.text
        assert "evil" not in answer.text
    result = [line.getMessage() for line in caplog.records if line.name == "portal.http.security_headers"]
    assert len(result) == 1
    assert repr(host) in result[0] and "'portal.example.org'" in result[0]


@pytest.mark.usefixtures("own_app")
def test_the_log_does_not_grow_with_the_names_that_strangers_send(
    app: Flask, town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(50):
        app.test_client().get("/", headers={"Host": f"{number}.example"})
    assert (
        len([line for line in caplog.records if line.name == "portal.http.security_headers"])
        == MOST_NAMES_TOLD
    )


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("https://Portal.Example.org", "portal.example.org", "https://portal.example.org"),
        ("https://portal.example.org:443", "portal.example.org", "https://portal.example.org"),
        ("https://portal.example.org", "PORTAL.example.org:443", "https://portal.example.org"),
        ("https://portail.besançon.fr", "portail.xn--besanon-yxa.fr", "https://portail.xn--besanon-yxa.fr"),
        ("https://portal.example.org:8443", "portal.example.org:8443", "https://portal.example.org:8443"),
        ("https://[FD66::1]", "[fd66::1]", "https://[fd66::1]"),
    ],
)
def test_one_address_has_many_spellings(
    services: Services, town: Town, url: str, host: str, origin: str
) -> None:
    """What the settings say is compared with what browsers send: small letters, no default port, ASCII names."""
    app = create_app(replace(services, settings=replace(services.settings, portal_url=url)))
    asked = app.test_client()
    assert asked.get("/hotspots", headers={"Host": host}).status_code == 200
    assert asked.post("/pass", headers={"Host": host, "Origin": origin}).status_code != 403
    assert asked.post("/pass", headers={"Host": host, "Origin": "https://evil.example"}).status_code == 403
    assert asked.post("/pass", headers={"Host": host, "Origin": origin + ":444"}).status_code == 403


# Limits before parsing


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/?x=" + "y" * 9000, None, 414),
        ("/%00", None, 400),
        ("/?x=%00", None, 200),
        ("/signin", {"login": "x" * 70_000}, 413),
        ("/signin", {f"f{n}": "v" for n in range(2000)}, 200),
        ("/info/../../etc/passwd", None, 404),
        ("/%ff%fe", None, 404),
    ],
    ids=["long query", "NUL in path", "NUL escaped", "big form", "many fields", "dots", "bad UTF-8"],
)
def test_what_cannot_be_read_is_refused_before_it_costs(
    app: Flask, town: Town, db: Session, path: str, form: dict[str, str] | None, status: int
) -> None:
    stranger = Phone(app, town.station, address="192.0.2.9")
    answer = stranger.get(path) if form is None else stranger.post(path, **form)
    assert answer.status_code == status
    assert nothing_happened(db)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"User-Agent": ""},
        {"User-Agent": "\x01\x7f" * 50},
        {"Accept-Language": "," * 3000},
        {"Cookie": "=" * 3000},
    ],
)
def test_odd_headers_are_survived(phone: Phone, headers: dict[str, str]) -> None:
    phone.headers = headers
    assert phone.land().status_code == 200


# Cookies and caches


def test_a_cookie_of_ours_is_host_only_secret_and_new_for_each_browser(
    phone: Phone, app: Flask, town: Town
) -> None:
    one = phone.land().headers["Set-Cookie"]
    other = Phone(app, town.station, BO_PHONE, "10.66.0.8").land().headers["Set-Cookie"]
    assert one.startswith("__Host-arobase=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in one
    assert one.split(";")[0] != other.split(";")[0]


def test_a_cookie_somebody_planted_is_not_taken_over(phone: Phone) -> None:
    phone.browser.set_cookie("__Host-arobase", "planted", domain="portal.example.org", secure=True)
    assert "planted" not in phone.land().headers["Set-Cookie"]


@pytest.mark.parametrize("path", ["/", "/status", "/hotspots", "/privacy", "/nothing-here", "/healthz"])
def test_no_answer_is_kept_by_a_cache(phone: Phone, path: str) -> None:
    assert "no-store" in phone.get(path, follow=False).headers["Cache-Control"]


# Gateways without their credential


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic Z3c6Z3c=", "Bearer \xe9"]
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "feed"), ("POST", "confirm"), ("POST", "report"), ("POST", "arrivals")]
)
def test_a_gateway_without_its_credential_is_told_nothing(
    app: Flask, town: Town, db: Session, authorization: str | None, method: str, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    body = {"clients": [{"client": BO_PHONE, "addresses": ["10.66.0.9"]}]}
    answer = app.test_client().open(
        f"/gateways/nftables/{path}", method=method, base_url=PORTAL, headers=headers, json=body
    )
    assert answer.status_code == 401
    assert set(answer.get_json()) == {"error"}
    assert db.scalars(select(ClientObservation)).all() == []


def test_a_gateway_confirms_for_itself_alone(phone: Phone, app: Flask, town: Town, db: Session) -> None:
    phone.land()
    phone.press("/pause")
    other = Agent(app, town.battant)
    other.call("POST", "/gateways/nftables/confirm", json={"version": 99, "applied": [1]})
    assert db.scalars(select(Lease.confirmed_at)).all() == [None]


@pytest.mark.parametrize(
    "body",
    [
        *(None, [], "x", {}, {"version": "x"}, {"version": 1, "refused": [{}]}, {"version": []}),
        *({"version": 2**63}, {"version": -1}, {"version": float("inf")}),
        {"version": 1, "refused": [{"number": 2**63, "reason": "x"}]},
    ],
)
def test_a_body_that_breaks_the_protocol_is_refused_in_words(station: Agent, body: object) -> None:
    answer = station.call("POST", "/gateways/nftables/confirm", json=body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]


def test_a_bottomless_body_is_refused(station: Agent) -> None:
    answer = station.call(
        "POST", "/gateways/nftables/confirm", data="[" * 100_000, content_type="application/json"
    )
    assert answer.status_code == 400


def test_an_unprintable_reason_of_a_refusal_is_taken(phone: Phone, station: Agent, db: Session) -> None:
    """PostgreSQL keeps no NUL in a text."""
    phone.land()
    phone.press("/pause")
    number, version = db.execute(select(Lease.access_id, Lease.version)).one()
    refused = [{"number": number, "reason": "bad\0 word"}]
    answer = station.call("POST", "/gateways/nftables/confirm", json={"version": version, "refused": refused})
    assert answer.status_code == 204
    db.rollback()
    assert db.scalars(select(Lease.refused)).one() == "bad? word"


# Operators' mistakes, secrets in logs


@pytest.mark.usefixtures("own_app")
def test_errors_show_no_trace(app: Flask, town: Town, services: Services) -> None:
    services.engine.dispose()
    app.view_functions["guests.privacy"] = lambda: 1 / 0
    answer = Phone(app, town.station, address="192.0.2.9").get("/privacy")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert "Nothing is lost" in answer.text


def test_no_secret_reaches_a_log(
    phone: Phone, reader: Phone, station: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reader.land()
    reader.press("/signin", login=ADA, secret="a-wrong-pin-of-hers")
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    station.follow()
    for secret in (ADA_PIN, "a-wrong-pin-of-hers", credential_of("gw-viotte"), ADA):
        assert secret not in caplog.text


def test_metrics_are_for_the_operator_alone(phone: Phone, app: Flask, town: Town) -> None:
    assert phone.get("/metrics").status_code == 404
    local = Phone(app, town.station, address="127.0.0.1")
    assert "arobase_access_sessions_open 0.0" in local.get("/metrics").text


def test_metrics_tell_when_the_last_purge_finished_and_whether_one_waits_for_a_person(
    app: Flask, town: Town, services: Services, clock: MovingClock
) -> None:
    local = Phone(app, town.station, address="127.0.0.1")
    assert "\narobase_purge_finished_seconds " not in local.get("/metrics").text
    list(purging(services))
    result = local.get("/metrics").text
    [finished] = re.findall(r"\narobase_purge_finished_seconds (\S+)\n", result)
    assert float(finished) == services.clock().timestamp()
    assert "\narobase_purge_refused 0.0\n" in result
    clock.advance(days=3650)
    list(purging(services))
    assert "\narobase_purge_refused 1.0\n" in local.get("/metrics").text


def test_settings_show_no_secret() -> None:
    settings = Settings(Secret("x" * 40), PORTAL, "sqlite://")
    assert "x" * 40 not in repr(settings)
