"""What the portal's own application leaves out is missed by no browser, and what it keeps is as Flask would have it."""

from __future__ import annotations

import pytest
from flask import Flask, Response, redirect, url_for
from werkzeug.test import EnvironBuilder

from portal.app import create_app
from portal.http.application import Answered, Asked, Fields
from portal.services import Services
from tests.portal.conftest import Phone
from tests.portal.visitors import issue, use

pytestmark = pytest.mark.usefixtures("town")


def test_a_redirect_has_no_page_of_its_own(services: Services, reader: Phone) -> None:
    answer = use(reader, issue(services).codes[0])
    assert (answer.status_code, answer.data, answer.headers["Content-Length"]) == (303, b"", "0")
    assert {"Cache-Control", "Content-Security-Policy", "Set-Cookie"} <= set(answer.headers.keys())


def test_an_address_beyond_ascii_is_written_for_the_wire(services: Services) -> None:
    with create_app(services).test_request_context("/"):
        answer = redirect("http://médiathèque.example/entrée?to=/é")
        assert answer.headers["Location"] == "http://xn--mdiathque-53af.example/entr%C3%A9e?to=/%C3%A9"
        assert redirect("/é").headers["Location"] == "/%C3%A9"
        assert redirect("/pass?visit=a.b").headers["Location"] == "/pass?visit=a.b"


def test_fields_are_found_as_flask_finds_them() -> None:
    fields = Fields([("a", "1"), ("a", "2"), ("empty", "")])
    assert [fields.get("a"), fields.get("empty", "x"), fields.get("b"), fields.get("b", "x")] == [
        "1",
        "",
        None,
        "x",
    ]
    assert [fields.get("a", type=int), fields.get("empty", 7, type=int)] == [1, 7]


def test_cookies_are_read_as_flask_reads_them() -> None:
    environ = EnvironBuilder("/", headers=[("Cookie", 'a=1; b="x y"; a=2')]).get_environ()
    cookies = Asked(environ).cookies
    assert (cookies.getlist("a"), cookies["b"]) == (["1", "2"], "x y")
    assert not Asked(EnvironBuilder("/").get_environ()).cookies


@pytest.mark.parametrize("asked", ["/", "/status?lang=fr", "http://elsewhere.example/?lang=en"])
def test_addresses_are_those_that_flask_would_write(services: Services, asked: str) -> None:
    app = create_app(services)
    with app.test_request_context(asked) as context:
        values: list[dict[str, object]] = [
            {},
            {"visit": "eyJ.a-_~b", "carried": 1, "said": None},
            {"visit": "é &=?#+"},
            {"lang": "de", "many": ["a", "b"]},
            {"a-name": "x"},
            {"_anchor": "top"},
            {"_external": True},
            {"_external": False},
        ]
        for rule in app.url_map.iter_rules():
            if not rule.arguments:
                written = [url_for(rule.endpoint, **each) for each in values]
                assert written == [Flask.url_for(app, rule.endpoint, **each) for each in values]
        assert url_for("guests.info", slug="gare", lang="de") == "/info/gare?lang=de"
        assert url_for(".status") == Flask.url_for(app, ".status")
        assert context.request.root_path == ""


def test_below_a_path_of_somebody_elses_addresses_begin_with_it(services: Services) -> None:
    app = create_app(services)
    with app.test_request_context("/status", base_url=f"{services.settings.own_url}/wifi"):
        assert url_for("guests.status", visit="a") == "/wifi/status?visit=a"


@pytest.mark.parametrize("path", ["/", "/hotspots?a=%C3%A9&b=1", "/caf%C3%A9//x", ""])
def test_asked_by_our_own_name_a_request_is_bound_as_flask_binds_it(services: Services, path: str) -> None:
    app = create_app(services)
    environ = EnvironBuilder(path, base_url=services.settings.own_url, method="POST").get_environ()
    ours, theirs = (
        bind(app, Asked(environ)) for bind in (type(app).create_url_adapter, Flask.create_url_adapter)
    )
    assert ours is not None and theirs is not None
    assert vars(ours) | {"path_info": ""} == vars(theirs) | {"path_info": ""}
    assert ours.path_info.lstrip("/") == theirs.path_info.lstrip("/")
    request = Asked(environ)
    app.create_url_adapter(request)
    assert request.host == Asked(environ).host


@pytest.mark.parametrize("status", [200, 204, 304, 404])
def test_the_headers_of_an_answer_are_those_that_flask_would_send(services: Services, status: int) -> None:
    headers = [("X-A", "1"), ("X-A", "2")]
    environ = EnvironBuilder("/").get_environ()
    with create_app(services).test_request_context("/"):
        for body in ("é", b"", (part for part in ["a", "b"])):
            ours = Answered(body, status, headers).get_wsgi_headers(environ)
            assert list(ours) == list(Response(body, status, headers).get_wsgi_headers(environ))
