"""One portal and one browser for all tests of the pages; each test has a phone of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.portal.pages.scene import Guest, Portal, new_guest, open_window, running_portal


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("pages")) as portal:
        yield portal


@pytest.fixture(params=["fr", pytest.param("en", marks=pytest.mark.release)])
def lang(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def guest(portal: Portal, chromium: Browser, lang: str) -> Iterator[Guest]:
    """Somebody with a phone that runs no script."""
    with open_window(chromium, java_script_enabled=False) as window:
        yield new_guest(portal, window, lang)
