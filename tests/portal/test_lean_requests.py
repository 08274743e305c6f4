"""What the portal's own application leaves out is missed by no browser, and what it keeps is as Flask would have it."""

from __future__ import annotations

import pytest
from flask import redirect
from werkzeug.test import EnvironBuilder

from portal.app import create_app
from portal.http.application import Asked, Fields
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
