"""The forms of records as a browser sends them."""

from __future__ import annotations

import html
import io
import re

from tests.portal.staff.conftest import Clerk

SITES_PAGE = "/staff/records/sites"


def send(clerk: Clerk, page: str, **fields: object) -> None:
    """Open the page with a form of a record, and send it with these fields beside those it was shown with."""
    clerk.get(page)
    clerk.press(page, **{**shown(clerk.page.text), **fields})


def shown(page: str) -> dict[str, object]:
    """What a browser would send of a record's form as it is shown."""
    (form,) = re.findall(r'<form method="post"[^>]*class="middling".*?</form>', page, re.DOTALL)
    fields: dict[str, object] = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        name, value = (re.search(rf' {part}="([^"]*)"', tag) for part in ("name", "value"))
        if name is None or ("checkbox" in tag and " checked" not in tag):
            continue
        text = html.unescape(value[1]) if value else ""
        if name[1] in fields and "checkbox" in tag:
            fields[name[1]] = [fields[name[1]], text]
        else:
            fields[name[1]] = text
    for name, options in re.findall(r'<select id="[^"]*" name="([^"]*)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = html.unescape(chosen[1]) if chosen else ""
    for name, text in re.findall(
        r'<textarea id="[^"]*" name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL
    ):
        fields[name] = html.unescape(text).replace("\n", "\r\n")
    return fields


def hand_in(clerk: Clerk, table: bytes) -> None:
    clerk.get(f"{SITES_PAGE}/-/file")
    clerk.press(f"{SITES_PAGE}/-/file", file=(io.BytesIO(table), "sites.csv"))
