"""Setting a gateway up: the lines for its box, what is still missing there, and what its kind cannot do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, update

from gateways.nftables import configuration
from gateways.set_up import Finding
from portal.gateway_api import endpoints
from portal.gateway_api.endpoints import Endpoint, endpoint_of
from portal.gateway_api.secrets import secrets_of
from portal.gateway_api.self_tests import self_test
from portal.i18n.gateway_findings import WORDS, finding_in_words
from portal.services import Services
from sessions import feed
from sessions.models import Lease, Usage
from sites.models import Gateway, SigninMethod
from tests.clock import MovingClock
from tests.gateways.contract import made_up
from tests.portal.languages import WHOLE
from tests.sessions.test_feed import enter
from tests.town import Town

ROOT = Path(__file__).parents[2]
PLACE = ("--site", "pierre-bayle", "--network", "bibliotheques", "--prefix", "10.9.0.0/24")


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["gateways", *words])


def missing(app: Flask, services: Services, gateway: Gateway) -> list[str]:
    with services.make_session() as db, app.app_context():
        return [finding.name for finding in self_test(db.get_one(Gateway, gateway.id))]


@pytest.fixture
def made_up_kinds() -> Iterator[None]:
    with made_up.added():
        yield


@pytest.fixture
def guest(services: Services, town: Town) -> int:
    """Somebody whom the station's gateway is to let pass: the number of the session."""
    with services.make_session.begin() as db:
        return enter(db, db.get_one(Gateway, town.station.id)).id


def confirm(services: Services, gateway: Gateway, clock: MovingClock) -> None:
    with services.make_session.begin() as db:
        version = feed.read(db, gateway_id=gateway.id, since=0, now=clock()).version
        feed.confirm(db, gateway_id=gateway.id, version=version, refused={}, now=clock())


def test_the_agent_takes_the_lines_that_are_shown(app: Flask, town: Town, tmp_path: Path) -> None:
    done = run(app, "lines", "gw-viotte")
    assert "--- /etc/arobase/agent.toml" in done.stderr
    file, credential = tmp_path / "agent.toml", tmp_path / "credential"
    credential.write_text("0123456789abcdefghijklmnop")
    credential.chmod(0o600)
    file.write_text(done.stdout.replace("/etc/arobase/gateway.credential", str(credential)))
    with pytest.raises(configuration.InvalidConfiguration) as refused:
        configuration.read(file)
    assert len(refused.value.faults) == 1 and "portal_addresses" in refused.value.faults[0]
    file.write_text(file.read_text().replace("portal_addresses = []", 'portal_addresses = ["10.66.0.1"]'))
    read = configuration.read(file)
    assert (read.gateway, read.portal_url) == ("gw-viotte", "https://portal.example.org")
    assert [str(prefix) for prefix in read.client_prefixes] == list(town.station.client_prefixes)


def test_a_gateway_that_is_not_there_has_no_lines(app: Flask, town: Town) -> None:
    done = run(app, "lines", "gw-nowhere")
    assert done.exit_code == 1 and "There is no gateway 'gw-nowhere'. See: gateways list" in done.output


def test_a_new_gateway_is_told_what_is_missing_until_it_works(
    app: Flask, services: Services, town: Town, clock: MovingClock
) -> None:
    assert missing(app, services, town.station) == ["not_heard", "no_landing"]
    assert "still missing: Nothing has come from it yet." in run(app, "check").output
    assert "Still missing: No device has come from there" in run(app, "lines", "gw-viotte").output
    with services.make_session.begin() as db:
        number = enter(db, db.get_one(Gateway, town.station.id)).id
    clock.advance(minutes=3)
    assert missing(app, services, town.station) == ["not_heard", "nothing_confirmed"]
    confirm(services, town.station, clock)
    assert missing(app, services, town.station) == []
    clock.advance(minutes=16)
    assert missing(app, services, town.station) == ["no_accounting"]
    with services.make_session.begin() as db:
        counters = dict.fromkeys(("bytes_up", "bytes_down", "packets_up", "packets_down"), 1)
        db.add(
            Usage(access_id=number, gateway_id=town.station.id, epoch="one", updated_at=clock(), **counters)
        )
    assert missing(app, services, town.station) == []


def test_stays_that_have_just_begun_say_nothing_yet(
    app: Flask, services: Services, town: Town, clock: MovingClock, guest: int
) -> None:
    clock.advance(minutes=1)
    assert missing(app, services, town.station) == ["not_heard"]
    confirm(services, town.station, clock)
    clock.advance(minutes=14)
    assert missing(app, services, town.station) == []


def test_one_gateways_evidence_says_nothing_of_another(
    app: Flask, services: Services, town: Town, clock: MovingClock, guest: int
) -> None:
    confirm(services, town.station, clock)
    assert missing(app, services, town.battant) == ["not_heard", "no_landing"]


def test_a_kind_that_is_not_heard_by_itself_is_not_said_to_be_missing(
    app: Flask, services: Services, town: Town, made_up_kinds: None
) -> None:
    with services.make_session.begin() as db:
        db.get_one(Gateway, town.station.id).kind = "doorman"
        db.get_one(Gateway, town.battant.id).kind = "fake"
    assert missing(app, services, town.station) == ["no_landing"]
    # Behind it an address is proof enough: it has no word to bring.
    assert missing(app, services, town.battant) == []


def test_a_record_whose_network_has_become_unsafe_for_it_is_told(
    app: Flask, services: Services, town: Town, made_up_kinds: None
) -> None:
    """By a newer version that knows better of its kind."""
    with services.make_session.begin() as db:
        gateway = db.get_one(Gateway, town.station.id)
        gateway.kind, gateway.options = "hourglass", {"sealed": "no"}
        gateway.network.signin_methods = [SigninMethod.PASS]
    assert missing(app, services, town.station)[0] == "for_free_access_alone"
    assert "give that network another kind of gateway" in run(app, "check").output


def test_a_self_test_that_fails_is_told_and_hides_nothing(
    app: Flask, services: Services, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_gateway: Gateway) -> list[Finding]:
        raise ConnectionError("away")

    with services.make_session.begin() as db:
        db.execute(delete(Lease))
    broken: Endpoint = replace(endpoint_of("nftables"), self_test=fail)
    monkeypatch.setattr("portal.gateway_api.self_tests.endpoint_of", {"nftables": broken}.__getitem__)
    assert missing(app, services, town.station) == ["not_heard", "no_landing", "self_test_failed"]
    assert "could not be carried out (ConnectionError)" in run(app, "check").output


def test_a_record_without_a_redirector_is_told(app: Flask, services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Gateway).values(redirector_url=""))
    assert "no_redirector" in missing(app, services, town.station)


def test_there_are_words_for_every_finding_in_every_language(app: Flask) -> None:
    names = set()
    for path in Path(endpoints.__file__).parent.glob("*.py"):
        names |= set(re.findall(r'Finding\(\s*"([a-z0-9_]+)"', path.read_text(encoding="utf-8")))
    assert names and names <= set(WORDS)
    facts = tuple((fact, "x") for fact in sorted(set(re.findall(r"%\((\w+)\)s", "".join(WORDS.values())))))
    told: dict[str, set[str]] = {}
    for language in WHOLE:
        with app.test_request_context(f"/?lang={language}"):
            told[language] = {finding_in_words(Finding(name, facts)) for name in names}
            assert "x" in finding_in_words(Finding("x"))
    assert not set.intersection(*told.values())


def test_whoever_adds_a_gateway_reads_what_its_kind_cannot_do(
    app: Flask, town: Town, made_up_kinds: None
) -> None:
    done = run(app, "add", "gw-2", *PLACE, "--kind", "hourglass")
    assert done.exit_code == 0 and len(done.stdout.splitlines()) == 1
    for sentence in (
        "What Hourglass 60 cannot do, and what follows:",
        "It ends access by itself in steps of 60 s, even while the portal is away: stays are rounded down.",
        "A stay cannot be renewed while it lasts: people go on after its end.",
        "Access cannot be taken back: who leaves, or is sent away, passes until the end that was granted.",
        "With sealed=no, what it tells of a device can be guessed:",
        "The lines for the box: gateways lines gw-2",
    ):
        assert sentence in done.stderr
    assert "It asks the portal again and again" not in done.stderr
    full = run(app, "add", "gw-3", *PLACE[:-1], "10.10.0.0/24")
    assert "what follows:" in full.stderr and "steps of" not in full.stderr
    assert full.stderr.count("\t") == 1 and "It knows no limit of volume." in full.stderr


def test_every_fault_of_a_new_gateway_is_told_in_a_line_of_its_own(
    app: Flask, town: Town, made_up_kinds: None
) -> None:
    odd = ("--set", "sealed=perhaps", "--set", "colour=red")
    done = run(app, "add", "GW", *PLACE, "--kind", "hourglass", "--redirector", "here", *odd)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 4
    assert "hourglass has no option 'colour'." in done.stderr
    assert "sealed: 'perhaps' is neither yes nor no." in done.stderr
    done = run(app, "add", "gw-2", *PLACE, "--set", "sealed", "--set", "a=1", "--set", "a=2")
    assert done.stderr.count("write each option once, as NAME=VALUE.") == 2
    done = run(app, "add", "gw-2", *PLACE, "--kind", "turnstile")
    assert done.exit_code == 1 and "--kind 'turnstile' is none of " in done.stderr


def test_each_kinds_options_are_listed_with_their_help(app: Flask, made_up_kinds: None) -> None:
    assert (
        "\t--set sealed=…\tWhether its glass is sealed: yes or no. (default 'yes')"
        in run(app, "kinds").output
    )


def test_former_secrets_hold_for_as_long_as_the_operator_says(
    app: Flask, services: Services, town: Town, clock: MovingClock
) -> None:
    def held() -> tuple[str, ...]:
        with services.make_session() as db, app.app_context():
            return secrets_of(db.get_one(Gateway, town.station.id), "radius")

    (first,) = held()
    done = run(app, "rotate", "gw-viotte", "--keep-old-hours", "2")
    assert "The secrets before these hold until 2026-11-2" in done.stderr
    assert len(held()) == 2 and held()[1] == first
    clock.advance(hours=2)
    assert len(held()) == 1 and held()[0] != first
    run(app, "rotate", "gw-viotte", "--keep-old-hours", "2")
    assert len(held()) == 2
    done = run(app, "rotate", "gw-viotte")
    assert len(held()) == 1 and "hold until" not in done.stderr
