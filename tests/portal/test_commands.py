"""The command line, as a newcomer types it: right, wrong, and twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.landing_token import credential_digest
from portal.services import Services
from sessions.models import AccessSession
from sites.models import Gateway, Site
from tests.clock import MovingClock
from tests.portal.conftest import Agent, Phone
from tests.town import ADA_PHONE, Town

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def test_the_demo_town_comes_once(app: Flask) -> None:
    first, second = run(app, "sites", "demo"), run(app, "sites", "demo")
    assert "networks: 2 added" in first.output and "devices: 6 added" in first.output
    assert "networks: 0 added, 0 changed, 2 as they were" in second.output
    assert "gare-viotte" in run(app, "sites", "list").output


def test_sites_go_out_and_come_back_the_same(app: Flask, town: Town, tmp_path: Path) -> None:
    path = tmp_path / "sites.csv"
    assert run(app, "sites", "export", "--output", str(path)).exit_code == 0
    assert "0 added, 0 changed, 3 as they were" in run(app, "sites", "import", str(path)).output


def test_a_bad_file_is_refused_whole_and_every_row_named(
    app: Flask, town: Town, tmp_path: Path, db: Session
) -> None:
    path = tmp_path / "sites.csv"
    run(app, "sites", "export", "--output", str(path))
    good = path.read_text(encoding="utf-8").splitlines()
    row = good[1].replace("battant", "new-one")
    path.write_text(
        "\n".join([good[0], row, good[2].replace("station", "spaceport")]) + "\n", encoding="utf-8"
    )
    done = run(app, "sites", "import", str(path))
    assert done.exit_code == 1
    assert "Nothing was imported" in done.output
    assert "line 3" in done.output
    assert "new-one" not in db.scalars(select(Site.slug)).all()


def test_a_file_that_is_not_there_is_said_to_be(app: Flask) -> None:
    assert "does not exist" in run(app, "sites", "import", "nowhere.csv").output


def test_geojson_is_for_places(app: Flask, town: Town) -> None:
    assert run(app, "sites", "export", "--form", "geojson", "--records", "networks").exit_code == 2
    assert '"FeatureCollection"' in run(app, "sites", "export", "--form", "geojson").output


def test_a_new_gateway_shows_its_credential_once_and_keeps_a_digest(
    app: Flask, town: Town, db: Session
) -> None:
    done = run(
        app,
        "gateways",
        "add",
        "gw-2",
        "--site",
        "pierre-bayle",
        "--network",
        "bibliotheques",
        "--prefix",
        "10.9.0.0/24",
    )
    credential = done.stdout.splitlines()[0]
    gateway = db.scalars(select(Gateway).where(Gateway.identity == "gw-2")).one()
    assert gateway.credential_digest == credential_digest(credential)
    assert credential not in run(app, "gateways", "list").output


def test_a_new_gateway_may_hand_out_blocks_of_ports(app: Flask, town: Town, db: Session) -> None:
    place = ("--site", "pierre-bayle", "--network", "bibliotheques", "--prefix", "10.9.0.0/24")
    blocks = ("--public-address", "203.0.113.10", "--public-address", "203.0.113.11")
    assert run(app, "gateways", "add", "gw-2", *place, *blocks, "--ports-per-client", "120").exit_code == 0
    gateway = db.scalars(select(Gateway).where(Gateway.identity == "gw-2")).one()
    assert (gateway.public_addresses, gateway.ports_per_client) == (["203.0.113.10", "203.0.113.11"], 120)
    refused = run(app, "gateways", "add", "gw-3", *place, *blocks, "--ports-per-client", "120")
    assert refused.exit_code == 1 and "overlap" in refused.output


def test_a_credential_file_is_for_its_owner_alone(app: Flask, town: Town, tmp_path: Path) -> None:
    path = tmp_path / "credential"
    place = ("--site", "pierre-bayle", "--network", "bibliotheques", "--prefix", "10.9.0.0/24")
    assert run(app, "gateways", "add", "gw-2", *place, "--credential-file", str(path)).exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    first = path.read_text()
    assert run(app, "gateways", "rotate", "gw-2", "--credential-file", str(path)).exit_code == 0
    assert path.read_text() != first


def test_a_gateway_that_is_refused_leaves_its_credential_file_as_it_was(
    app: Flask, town: Town, tmp_path: Path
) -> None:
    folder = tmp_path / "arobase"
    folder.mkdir()
    path = folder / "credential"
    place = ("--site", "no-such-site", "--network", "bibliotheques", "--prefix", "10.9.0.0/24")
    add = ("gateways", "add", "gw-2", *place, "--credential-file")
    assert run(app, *add, str(path)).exit_code == 1
    assert list(folder.iterdir()) == []
    path.write_text("the one that works\n")
    assert run(app, *add, str(path)).exit_code == 1
    assert run(app, "gateways", "rotate", "gw-none", "--credential-file", str(path)).exit_code == 1
    assert [each.read_text() for each in folder.iterdir()] == ["the one that works\n"]


def test_a_credential_that_cannot_be_written_makes_no_gateway(
    app: Flask, town: Town, tmp_path: Path, db: Session
) -> None:
    place = ("--site", "pierre-bayle", "--network", "bibliotheques", "--prefix", "10.9.0.0/24")
    done = run(app, "gateways", "add", "gw-2", *place, "--credential-file", str(tmp_path / "no/file"))
    assert done.exit_code == 1
    assert "cannot be written: No such file or directory" in done.output
    assert db.scalars(select(Gateway).where(Gateway.identity == "gw-2")).first() is None


def test_the_example_files_are_a_town_to_start_from(app: Flask, services: Services) -> None:
    for each in ("networks", "sites"):
        done = run(app, "sites", "import", str(DEPLOY / f"example-{each}.csv"), "--records", each)
        assert f"{each}: 1 added" in done.output
    assert "bibliotheque\tlibrary\t" in run(app, "sites", "list").output


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (
            (
                "gateways",
                "add",
                "gw-viotte",
                "--site",
                "gare-viotte",
                "--network",
                "wifilib",
                "--prefix",
                "10.9.0.0/24",
            ),
            "already",
        ),
        (
            (
                "gateways",
                "add",
                "Gw 2",
                "--site",
                "gare-viotte",
                "--network",
                "wifilib",
                "--prefix",
                "10.9.0.0/24",
            ),
            "a-z",
        ),
        (
            (
                "gateways",
                "add",
                "gw-2",
                "--site",
                "nowhere",
                "--network",
                "wifilib",
                "--prefix",
                "10.9.0.0/24",
            ),
            "sites list",
        ),
        (
            (
                "gateways",
                "add",
                "gw-2",
                "--site",
                "gare-viotte",
                "--network",
                "none",
                "--prefix",
                "10.9.0.0/24",
            ),
            "bibliotheques, wifilib",
        ),
        (
            (
                "gateways",
                "add",
                "gw-2",
                "--site",
                "gare-viotte",
                "--network",
                "wifilib",
                "--prefix",
                "10.9.0.1/24",
            ),
            "host bits",
        ),
        (("gateways", "add", "gw-2", "--site", "gare-viotte", "--network", "wifilib"), "--prefix"),
        (("gateways", "rotate", "nobody"), "gateways list"),
        (("sessions", "end", "4711"), "sessions list"),
        (("sessions", "end", "not-a-mac"), "neither"),
        (("sessions", "end"), "Missing argument"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:3]),
)
def test_a_wrong_word_is_answered_with_what_to_do(
    app: Flask, town: Town, words: tuple[str, ...], answer: str
) -> None:
    done = run(app, *words)
    assert done.exit_code in (1, 2)
    assert answer in done.output
    assert "Traceback" not in done.output


def test_check_fails_while_a_gateway_is_not_well(
    app: Flask, town: Town, services: Services, clock: MovingClock
) -> None:
    assert run(app, "gateways", "check").exit_code == 1
    with services.make_session.begin() as db:
        for gateway in db.scalars(select(Gateway)):
            gateway.seen_at = clock.now
    done = run(app, "gateways", "check")
    assert done.exit_code == 0, done.output


def test_staff_end_a_session_by_mac_in_any_notation(
    app: Flask, phone: Phone, station: Agent, db: Session
) -> None:
    phone.land()
    phone.press("/pause")
    station.follow()
    assert ADA_PHONE in run(app, "sessions", "list", "--unmask", "a test of the list").output
    done = run(app, "sessions", "end", ADA_PHONE.upper().replace(":", "-"))
    assert "Ended 1 session." in done.output
    station.follow()
    assert station.macs == set()
    assert db.scalars(select(AccessSession.end_reason)).one() == "staff"


def test_patrons_are_imported_and_bad_rows_named(app: Flask, town: Town, tmp_path: Path) -> None:
    path = tmp_path / "patrons.csv"
    path.write_text(
        "card,pin,category,expires_on,blocked\n25000009,pin-1980,adult,2027-12-31,no\n", encoding="utf-8"
    )
    assert "1 added" in run(app, "patrons", "import", str(path)).output
    path.write_text("card,pin,category,expires_on,blocked\n,x,adult,tomorrow,perhaps\n", encoding="utf-8")
    done = run(app, "patrons", "import", str(path))
    assert done.exit_code == 1
    assert "line 2" in done.output


def test_without_a_directory_no_account_is_bound_to_one(app: Flask) -> None:
    done = run(app, "staff", "bind", "dana", "0b1f")
    assert done.exit_code == 1 and "No directory is set up for staff: see docs/staff.md." in done.output


def test_the_sweep_says_what_it_did(app: Flask, phone: Phone, clock: MovingClock) -> None:
    phone.land()
    phone.press("/pause")
    clock.advance(minutes=31)
    assert "Closed 1 that were over" in run(app, "sweep").output
