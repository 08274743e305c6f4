"""axe-core in a page: which accessibility rules does it break?"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Literal

from playwright.sync_api import Page

from tests.selection import everything

# The package is used for the file that it carries: axe-core needs no npm then.
SCRIPT = files("axe_playwright_python") / "axe.min.js"
# WCAG 2.0 to 2.2, levels A and AA, and what axe holds for good manners.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What passed, which nobody reads, is most of what axe finds: it costs more to collect and to send than to look for.
RUN = """async which => (await axe.run(document, {
    runOnly: which, resultTypes: ['violations']
})).violations"""
ALL = {"type": "tag", "values": TAGS}
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}

Theme = Literal["light", "dark"]


def themes(lang: str) -> tuple[Theme, ...]:
    """The themes in which axe looks at the pages of this language. Colours do not depend on words, nor words on
    colours: each language has a theme of its own, and both where everything is tested."""
    if everything():
        return ("light", "dark")
    return ("light",) if lang == "fr" else ("dark",)


def broken_in_both_themes(page: Page) -> list[str]:
    """For a page that is looked at in one language alone. Dark colours are looked at by the rules of colours."""
    broken = []
    looks: tuple[tuple[Theme, dict[str, Any]], ...] = (
        ("light", ALL),
        ("dark", ALL if everything() else OF_COLOURS),
    )
    for theme, rules in looks:
        page.emulate_media(color_scheme=theme)
        broken += [f"{theme}: {rule}" for rule in broken_rules(page, rules)]
    page.emulate_media(color_scheme="light")
    return broken


def broken_rules(page: Page, rules: dict[str, Any] = ALL) -> list[str]:
    """One line for each element that breaks one of these rules."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    violations: list[dict[str, Any]] = page.evaluate(RUN, rules)
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for rule in violations
        for node in rule["nodes"]
    ]
