"""Comments, docstrings and documents give the reason itself, never the number that a planning paper gave it."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = [
    "ads",
    "auth",
    "config",
    "db",
    "gateways",
    "lab",
    "migrations",
    "portal",
    "sessions",
    "sites",
    "tests",
]
# A letter and a number, as in "case" and a code. Articles of law go on with a dash: CPCE L34-1, R10-13.
CODE = re.compile(r"\b[Cc]ases? [A-Z][0-9]|\b[GNWVLRUSDFP][0-9]{1,2}\b(?!-[0-9])")


def texts(path: Path) -> Iterator[str]:
    """The comments and docstrings of a source, or the whole of a document."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield source
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        ("refused (case " + "L6)", True),
        ("R" + "52 asks for it", True),
        ("CPCE L34-1, R10-13", False),
        ("A4, RFC 4226", False),
    ],
)
def test_a_planning_code_is_told_from_an_article_of_law(text: str, is_code: bool) -> None:
    assert bool(CODE.search(text)) is is_code


def test_no_text_names_a_planning_code() -> None:
    sources = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    documents = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in [*sources, *documents]
        for text in texts(path)
        for match in CODE.finditer(text)
    }
    assert found == set()
