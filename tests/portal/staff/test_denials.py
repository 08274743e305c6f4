"""Every reason why a request is denied: declared once, raised somewhere, worded wherever it is read."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

import pytest
from flask import Flask

import portal.api
import portal.staff
from auth.denials import (
    N_,
    REASONS,
    Case,
    Denial,
    DenialReason,
    DoubleReason,
    Incident,
    Plural,
    Text,
    declare,
)
from portal.denials.portal_reasons import WRITTEN_DOWN
from portal.denials.rendering import (
    explanation,
    facts_in_words,
    facts_to_keep,
    page,
    problem_words,
    report_line,
)
from portal.i18n.catalogues import SOURCE, catalogue
from portal.staff.access import anyone
from tests.clock import NOON
from tests.portal.conftest import Phone
from tests.portal.languages import WHOLE
from tests.portal.staff.conftest import Clerk

ROOT = Path(__file__).parents[3]
ROOMS = ("auth", "sessions", "ads", "portal")
EVERY = sorted(REASONS, key=lambda reason: reason.code)
TRANSLATED = [catalogue(code) for code in WHOLE if code != SOURCE]
each_reason = pytest.mark.parametrize("reason", EVERY, ids=lambda reason: reason.code)


def all_texts(reason: DenialReason) -> Iterator[Text]:
    yield from (reason.title, reason.advice, *reason.facts.values())
    if reason.staff_advice is not None:
        yield reason.staff_advice
    if reason.api:
        yield from (reason.api.title, reason.api.advice)
    if answer := reason.incident:
        yield from (answer.name, answer.meaning, answer.advice, answer.report)


def plain(text: Text) -> Iterator[str | Plural]:
    """What may be shown for a text, in every case of it."""
    found = (*text.texts.values(), text.otherwise) if isinstance(text, Case) else (text,)
    return (one for one in found if one)


def denials(root: type[Denial] = Denial) -> Iterator[type[Denial]]:
    for kind in root.__subclasses__():
        if kind.__module__.split(".")[0] in ROOMS:
            yield kind
        yield from denials(kind)


def some_facts(reason: DenialReason) -> Iterator[Mapping[str, object]]:
    """Facts for every case of the reason's texts."""
    cases: dict[str, set[object]] = {}
    names = {name for text in all_texts(reason) for one in plain(text) for name in placeholders(one)}
    for text in all_texts(reason):
        if isinstance(text, Case):
            cases.setdefault(text.fact, set()).update(text.texts)
    if isinstance(reason.retry_after, str):
        names.add(reason.retry_after)
    values = {name: NOON if name in ("until", "opens_at") else 3 for name in names}
    for chosen in itertools.product(*cases.values()):
        yield {**values, **dict(zip(cases, chosen, strict=True))}


def every_case() -> Iterator[tuple[DenialReason, Mapping[str, object]]]:
    return ((reason, facts) for reason in EVERY for facts in some_facts(reason))


def placeholders(text: str | Plural) -> set[str]:
    return {text.count} if isinstance(text, Plural) else set(re.findall(r"%\((\w+)\)s", text))


@pytest.fixture(scope="module")
def given() -> set[str]:
    """The names of exceptions that the sources raise or make, and of reasons that they hand over."""
    names: set[str] = set()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Raise(exc=ast.Name(id=name)) | ast.Raise(exc=ast.Attribute(attr=name)):
                    names.add(name)
                case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                    names.add(name)
                case ast.Attribute(value=ast.Name(id=name), attr="reason"):
                    names.add(name)
                case ast.Name(id=name, ctx=ast.Load()) if name.isupper():
                    names.add(name)
    return names


@each_reason
def test_every_text_of_a_reason_is_translated(reason: DenialReason) -> None:
    for text in itertools.chain.from_iterable(map(plain, all_texts(reason))):
        for one in TRANSLATED:
            if isinstance(text, Plural):
                assert one.ngettext(text.one, text.many, 2) != text.many
            else:
                assert one.gettext(text) != text


@each_reason
def test_a_reason_is_given_by_something(reason: DenialReason, given: set[str]) -> None:
    kinds = [kind for kind in denials() if "reason" in vars(kind) and kind.reason is reason]
    heirs = {heir.__name__ for kind in kinds for heir in (kind, *denials(kind))}
    constants = {
        name
        for module in (portal.denials.portal_reasons, portal.api.problems)
        for name, value in vars(module).items()
        if value is reason
    }
    assert (heirs | constants) & given


def test_every_denial_that_is_raised_has_a_reason() -> None:
    roots = {kind.__name__ for kind in denials() if not hasattr(kind, "reason")}
    assert roots == {"AuthError", "StaffError", "VoucherError", "RequisitionError"}


@pytest.mark.parametrize("language", WHOLE)
def test_every_reason_is_worded_wherever_it_is_read(app: Flask, language: str) -> None:
    with app.test_request_context(f"/?lang={language}"):
        for reason, facts in every_case():
            shown, (title, detail) = page(reason, facts), problem_words(reason, facts)
            kept = facts_to_keep(reason, facts)
            for text in (shown.title, shown.text, title, detail, *facts_in_words(reason.code, kept, str)):
                assert text and "%(" not in text, reason.code
            assert set(kept) == set(reason.facts) & set(facts)
        for reason in (reason for reason in EVERY if reason.incident is not None):
            words = explanation(reason.code)
            assert words.name != reason.code != report_line(reason.code)
            assert words.meaning and words.advice


def test_whoever_reads_the_log_knows_every_reason_in_it() -> None:
    """The command line and the reports load no pages: what is written down is declared in the modules named here."""
    known = {module.__name__ for module in (*WRITTEN_DOWN, portal.denials.portal_reasons)}
    declaring = {kind.__module__ for kind in denials() if "reason" in vars(kind) and kind.reason.incident}
    inherited = {"portal.http.clients"}
    assert declaring - inherited <= known


def test_a_code_or_a_problem_type_stands_for_one_reason() -> None:
    with pytest.raises(DoubleReason):
        declare("spent_pass", HTTPStatus.FORBIDDEN, "a", "b")
    with pytest.raises(DoubleReason):
        declare("foreign-page", HTTPStatus.FORBIDDEN, "a", "b")


@pytest.fixture
def flooded() -> Iterator[type[Denial]]:
    """A denial with a reason of its own: one entry, and nothing else anywhere."""

    class Flooded(Denial):
        reason = declare(
            "flooded_site",
            HTTPStatus.CONFLICT,
            N_("This place is under water."),
            N_("Come back at %(until)s."),
            incident=Incident(
                "Site under water", "The river stands in it.", "Offer a boat.", report="Floods"
            ),
            retry_after="until",
            facts={"until": "Dry at %(until)s."},
        )

        def __init__(self) -> None:
            super().__init__()
            self.until = NOON.replace(hour=23)

    yield Flooded
    REASONS.remove(Flooded.reason)


@pytest.mark.usefixtures("own_app")
def test_a_new_reason_is_one_entry(app: Flask, phone: Phone, net: Clerk, flooded: type[Denial]) -> None:
    def deny() -> NoReturn:
        raise flooded

    app.view_functions |= {"guests.privacy": deny, "staff.signin_page": anyone(deny), "api.openapi": deny}
    guests = phone.get("/privacy")
    assert guests.status_code == 409
    assert "This place is under water." in guests.text and "Come back at 00:00." in guests.text
    assert int(guests.headers["Retry-After"]) > 0
    code = re.findall(r"Incident (\w{3}-\w{3})", guests.text)[0]
    staff = net.get(f"/staff/incidents/{code}").text
    assert "<h1>Site under water</h1>" in staff and "Offer a boat." in staff and "Dry at 00:00:00." in staff
    assert "This place is under water." in net.get("/staff/signin").text
    problem = phone.get("/api/v1/openapi.json")
    assert problem.content_type == "application/problem+json"
    assert problem.get_json()["type"] == "urn:problem-type:arobase:flooded-site"
    assert problem.get_json()["title"] == "This place is under water."
    with app.test_request_context("/"):
        assert report_line("flooded_site") == "Floods"
