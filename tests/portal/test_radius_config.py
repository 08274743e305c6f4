"""The command that writes FreeRADIUS's configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from portal.cli import radius_config
from portal.cli.radius_config import MARK, version_warning
from portal.gateway_api.asgi import QUEUE_OF_ONE
from portal.services import Services
from sites.models import Gateway
from tests.town import Town


@pytest.fixture
def record(services: Services, town: Town) -> Gateway:
    """The station's gateway is a CoovaChilli at two addresses."""
    turn(services, town.station, nas_address="10.1.2.3, 10.1.3.0/28")
    return town.station


def turn(services: Services, gateway: Gateway, **options: str) -> None:
    with services.make_session.begin() as db:
        found = db.get_one(Gateway, gateway.id)
        found.kind, found.options = "coovachilli", options
    services.places.forget()


def call(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["gateways", "radius-config", *map(str, words)])


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radius_config, "radius_server_version", lambda: (3, 2, 9))


def test_it_writes_a_configuration_and_says_what_comes_next(
    app: Flask, record: Gateway, version: None, tmp_path: Path
) -> None:
    folder = tmp_path / "radius"
    done = call(app, folder)
    assert done.exit_code == 0, done.output
    assert f'FREERADIUS_OPTIONS="-d {folder}"' in done.output
    assert "gw-viotte-0\t10.1.2.3" in done.output and "gw-viotte-1\t10.1.3.0/28" in done.output
    assert sorted(path.name for path in folder.iterdir()) == sorted(radius_config.FILES)
    for path in folder.iterdir():
        assert path.read_text().startswith(MARK) and path.stat().st_mode & 0o777 == 0o640
    clients = (folder / "clients.conf").read_text()
    assert clients.count("client gw-viotte-") == 2 and clients.count('arobase_token = "gw-viotte.') == 2
    # The portal is asked over TLS, and its certificate looked at.
    main = (folder / "radiusd.conf").read_text()
    assert 'uri = "https://portal.example.org/gateways/radius/v1/authorize"' in main
    assert "check_cert = yes" in main and "ca_file" in main
    # Each thread has a connection, and of all that they ask the portal refuses nothing.
    assert f"max_servers = {QUEUE_OF_ONE}" in main and f"max = {QUEUE_OF_ONE}" in main
    # Once more, over its own files: the group that was given them still has them.
    group = 12_345 if os.geteuid() == 0 else os.getgid()
    os.chown(folder, -1, group)
    assert call(app, folder).exit_code == 0
    assert {path.stat().st_gid for path in folder.iterdir()} == {group}


def test_it_replaces_no_file_of_anybody_else(
    app: Flask, record: Gateway, version: None, tmp_path: Path
) -> None:
    """As in /etc/freeradius/3.0, whose files are the distribution's."""
    (tmp_path / "site.conf").write_text("# mine\n")
    done = call(app, tmp_path)
    assert done.exit_code == 1 and "was not written by this command" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["site.conf"]
    assert (tmp_path / "site.conf").read_text() == "# mine\n"


def test_a_secret_is_new_after_a_rotation(app: Flask, record: Gateway, version: None, tmp_path: Path) -> None:
    def secrets() -> str:
        assert call(app, tmp_path / "it").exit_code == 0
        return (tmp_path / "it" / "clients.conf").read_text()

    before = secrets()
    assert secrets() == before
    rotated = app.test_cli_runner().invoke(
        args=["gateways", "rotate", "gw-viotte", "--credential-file", str(tmp_path / "credential")]
    )
    assert rotated.exit_code == 0, rotated.output
    app.extensions["arobase"].places.forget()
    assert secrets() != before


def test_two_gateways_cannot_send_from_one_address(
    app: Flask, services: Services, record: Gateway, town: Town, version: None, tmp_path: Path
) -> None:
    turn(services, town.battant, nas_address="10.1.2.3")
    done = call(app, tmp_path / "it")
    assert done.exit_code == 1 and "both send from 10.1.2.3" in done.output
    assert not (tmp_path / "it").exists()


def test_tls_wants_all_three_files(
    app: Flask, services: Services, town: Town, version: None, tmp_path: Path
) -> None:
    turn(services, town.station, nas_address="10.1.2.3", transport="radsec")
    assert "come over TLS" in call(app, tmp_path / "it").output
    assert "needs all of" in call(app, tmp_path / "it", "--key", "/k").output
    words = ("--certificate", "/etc/c.pem", "--key", "/etc/k.pem", "--authority", "/etc/a.pem")
    assert call(app, tmp_path / "it", *words).exit_code == 0
    clients = (tmp_path / "it" / "clients.conf").read_text()
    assert "clients radsec {" in clients and "proto = tls" in clients and 'secret = "radsec"' in clients
    assert "port = 2083" in (tmp_path / "it" / "site.conf").read_text()


def test_a_path_that_freeradius_would_misread_is_refused(app: Flask, town: Town, tmp_path: Path) -> None:
    done = call(app, tmp_path / "my radius")
    assert done.exit_code == 1 and "plain paths" in done.output


def test_versions_are_told_what_is_to_be_known_of_them() -> None:
    assert version_warning((3, 2, 9)) == "" == version_warning((3, 2, 12))
    assert "NAS-Filter-Rule" in version_warning((3, 2, 1))
    assert "for 3.2" in version_warning((3, 0, 26)) and "for 3.2" in version_warning((4, 0))
    assert "not installed" in version_warning(None)
