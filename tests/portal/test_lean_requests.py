"""What the portal's own application leaves out is missed by no browser, and what it keeps is as Flask would have it."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask, Request, Response, redirect, url_for
from flask.ctx import RequestContext
from werkzeug.exceptions import HTTPException
from werkzeug.test import EnvironBuilder

from portal.app import create_app
from portal.http.application import LARGEST_FORM, Answered, Asked, Fields
from portal.http.security_headers import allow_forms_to
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


BODIES = [
    b"a=1&b=%C3%A9+x&empty=&a=2&c",
    b"",
    b"a=\xc3\xa9&b=%E9",
    b"a=\xc3\xa9&&b&=x&c=1=2&a=;",
    b"a=x+y",
    b"a=\xe9",
    b"a=" + b"x" * (LARGEST_FORM - 2),
    b"a=" + b"x" * (LARGEST_FORM - 1),
]
KINDS = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "text/plain",
    "",
]


def read(kind: type[Request], body: bytes, content_type: str, length: str) -> object:
    """What is read of a form, or what its reader says."""
    environ = EnvironBuilder("/", method="POST", input_stream=BytesIO(body)).get_environ()
    asked = kind(environ | {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": length})
    asked.max_content_length = LARGEST_FORM
    try:
        return [*asked.form.items(multi=True)], [*asked.files], asked.get_data()
    except HTTPException as fault:
        return type(fault)


@pytest.mark.parametrize("content_type", KINDS)
@pytest.mark.parametrize("body", BODIES, ids=len)
def test_a_form_is_read_as_flask_reads_it(body: bytes, content_type: str) -> None:
    for length in (str(len(body)), str(len(body) + 1), "0", "", "-1", "\xb2", "9" * 5000):
        assert read(Asked, body, content_type, length) == read(Request, body, content_type, length)


def test_a_form_that_a_page_sends_otherwise_is_read_too() -> None:
    data = {"a": "1", "b": (BytesIO(b"x"), "b.txt")}
    with Asked(EnvironBuilder("/", method="POST", data=data).get_environ()) as sent:
        assert (sent.form["a"], sent.files["b"].read()) == ("1", b"x")
    asked = Asked(EnvironBuilder("/", method="POST", data={"a": "1"}).get_environ())
    assert (asked.get_data(), asked.form["a"]) == (b"a=1", "1")


@pytest.mark.parametrize("query", ["", "a=1&b=%C3%A9+x&empty=&a=2&c", "a=%E9"])
def test_a_query_is_read_as_flask_reads_it(query: str) -> None:
    environ = EnvironBuilder("/").get_environ() | {"QUERY_STRING": query}
    assert [*Asked(environ).args.items(multi=True)] == [*Request(environ).args.items(multi=True)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT"])
def test_a_page_is_found_where_flask_finds_it(services: Services, method: str) -> None:
    app = create_app(services)
    paths = {rule.rule for rule in app.url_map.iter_rules()}
    base = services.settings.own_url
    for path in [*paths, *(f"{path}/" for path in paths), "//status", "/status//", "/pass/ABC", "/info/gare"]:
        for host in (base, "http://elsewhere.example"):
            ours = app.request_context(EnvironBuilder(path, host, method=method).get_environ())
            theirs = RequestContext(app, ours.request.environ)
            for context in (ours, theirs):
                context.match_request()
            assert found(ours) == found(theirs)


def found(context: RequestContext) -> tuple[object, ...]:
    asked = context.request
    return asked.url_rule, asked.view_args, type(asked.routing_exception), asked.blueprints


def test_a_page_may_send_its_forms_to_one_host_more(services: Services) -> None:
    app = create_app(services)
    with app.test_request_context("/opening", services.settings.own_url) as context:
        answer = app.process_response(allow_forms_to(Answered("x"), "http://10.66.0.1:2050"))
        *_, headers = answer.get_wsgi_response(context.request.environ)
    (policy,) = [value for name, value in headers if name == "Content-Security-Policy"]
    assert "form-action 'self' http://10.66.0.1:2050;" in policy


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
