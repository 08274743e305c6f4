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
RUN = """async tags => (await axe.run(document, {
    runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']
})).violations"""

Theme = Literal["light", "dark"]


def themes(lang: str) -> tuple[Theme, ...]:
    """The themes in which axe looks at the pages of this language. Colours do not depend on words, nor words on
    colours: each language has a theme of its own, and both where everything is tested."""
    if everything():
        return ("light", "dark")
    return ("light",) if lang == "fr" else ("dark",)


def broken_rules(page: Page) -> list[str]:
    """One line for each element that breaks a rule."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    violations: list[dict[str, Any]] = page.evaluate(RUN, TAGS)
    return [
        f"{rule['id']}: {node['html'][:160]} ({node['failureSummary']})"
        for rule in violations
        for node in rule["nodes"]
    ]
