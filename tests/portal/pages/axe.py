"""axe-core in a page: which accessibility rules does it break?"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

# The package is used for the file that it carries: axe-core needs no npm then.
SCRIPT = files("axe_playwright_python") / "axe.min.js"
# WCAG 2.0 to 2.2, levels A and AA, and what axe holds for good manners.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def broken_rules(page: Page) -> list[str]:
    """One line for each element that breaks a rule."""
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS
    )
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
