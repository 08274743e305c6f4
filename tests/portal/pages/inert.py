"""Is there anything in this page that a stranger's text could have put there?"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

# What a stranger may write into a parameter, a header, or a record.
PAYLOADS = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "--><iframe src=javascript:alert(1)></iframe>",
    '" autofocus onfocus=alert(1) x="',
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/",
    "{{7*7}}{%raw%}",
    "%s%(x)s%n",
    "\u202e[x]<b>\ud83d\ude00</b>".encode("utf-16", "surrogatepass").decode("utf-16"),
)
TEMPLATES = Path(__file__).parents[3] / "templates"
# The elements that our own templates hold.
TAGS = frozenset(
    tag
    for template in TEMPLATES.rglob("*.html")
    for tag in re.findall(r"<([a-z][a-z0-9]*)", template.read_text(encoding="utf-8"))
)
LINKS = ("href", "src", "action", "formaction", "data", "xlink:href")
# Where our own pages lead beside our own host: two bodies that the law has us name, and the town's own address.
ELSEWHERE = (
    "https://www.cnil.fr/",
    "https://formulaire.defenseurdesdroits.fr/",
    "https://www.defenseurdesdroits.fr/",
    "mailto:",
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        named = {name: value or "" for name, value in attrs}
        for name, value in named.items():
            if name.startswith("on") or name in ("style", "srcdoc", "http-equiv"):
                self.faults.append(f"{name}={value}")
            if name in LINKS and not _is_ours(value):
                self.faults.append(f"{name}={value}")
        if tag == "input":
            self.values[named.get("name", "")] = named.get("value", "")


def faults(page: str) -> list[str]:
    """Elements, attributes and links that are not ours."""
    return _read(page).faults


def field_values(page: str) -> dict[str, str]:
    """What stands in the form fields of a page, by name."""
    return _read(page).values


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


def _is_ours(link: str) -> bool:
    own = link.startswith(("/", "#")) and not link.startswith(("//", "/\\"))
    own = own or re.fullmatch(r"tel:\+?[0-9]+", link) is not None
    return own or link == "data:," or link.startswith(ELSEWHERE)
