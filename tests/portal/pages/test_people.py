"""Four people get on, stay on and come back without help."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.portal.pages.people import PEOPLE
from tests.portal.pages.scene import Portal, new_guest, open_window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_gets_on_stays_on_and_comes_back(portal: Portal, chromium: Browser, name: str) -> None:
    person = PEOPLE[name]
    with open_window(chromium, **person.window) as window:
        assert list(person.walk(new_guest(portal, window, person.lang)))
