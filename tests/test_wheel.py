"""The wheel holds all that runs in a town: installed apart, the command and the pages work outside the sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lab.hotspot import portal_environment
from lab.records import make_secret
from lab.servers import TOP

WITHOUT_INDEX = ("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
ROOMS = ("ads", "auth", "config", "db", "gateways", "migrations", "portal", "sessions", "sites", "templates")
LANDING = """
import portal, wsgi
guest = wsgi.app.test_client()
page = guest.get("/", headers={"Accept-Language": "fr"}, base_url="https://portal.example")
print(portal.__file__, page.status_code, 'lang="fr"' in page.text)
"""


def pip(*words: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the wheel is installed, beside the libraries of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", *WITHOUT_INDEX, "--no-build-isolation", "--wheel-dir", folder / "dist", ".")
    (wheel,) = (folder / "dist").glob("arobase-*.whl")
    pip("install", *WITHOUT_INDEX, "--target", folder / "site", wheel)
    return folder / "site"


class Installation:
    """An installation with its own settings and database, far from the sources."""

    def __init__(self, site: Path, folder: Path) -> None:
        self.site, self.folder = site, folder
        make_secret(folder / "secret")
        self.environment = portal_environment(folder, "https://portal.example") | {"PYTHONPATH": str(site)}

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def arobase(self, *words: str | Path) -> str:
        return self.run(self.site / "bin" / "arobase", *words)


@pytest.fixture
def town(installed: Path, tmp_path: Path) -> Installation:
    return Installation(installed, tmp_path)


def data_files(top: Path) -> set[str]:
    return {
        str(path.relative_to(top))
        for room in ROOMS
        for path in (top / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_no_file_of_the_rooms_is_left_out(installed: Path) -> None:
    assert data_files(TOP) - data_files(installed) == set()
    assert (installed / "deploy" / "nginx.conf").is_file()


def test_the_command_sets_up_a_town_and_prints_its_tickets(town: Installation) -> None:
    assert "  vouchers " in town.arobase("--help")
    assert "up to date" in town.arobase("db", "upgrade")
    town.arobase("sites", "demo")
    assert "daemon off;" in town.arobase("front", "nginx")
    sheet = town.folder / "tickets.pdf"
    town.arobase("vouchers", "sheet", "2", sheet, "--site", "aime-cesaire", "--language", "fr")
    assert sheet.read_bytes().startswith(b"%PDF-")


def test_the_first_page_comes_from_the_installed_files(town: Installation) -> None:
    town.arobase("db", "upgrade")
    town.arobase("sites", "demo")
    file, *answers = town.run(sys.executable, "-c", LANDING).split()
    assert Path(file).is_relative_to(town.site)
    assert answers == ["200", "True"]
