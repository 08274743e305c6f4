"""The glossary is true: its words begin the packages' docstrings, its names exist, pages say what it says they say."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_architecture import ROOMS, ROOT


class Row(NamedTuple):
    word: str
    what: str
    where: str
    english: str
    french: str


def rows() -> list[Row]:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    cells = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    return [Row(*(cell.strip(" `") for cell in row)) for row in cells]


def packages() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("__init__.py"))


def module_name(package: Path) -> str:
    return ".".join(package.relative_to(ROOT).parent.parts)


@pytest.mark.parametrize("package", packages(), ids=module_name)
def test_a_package_begins_with_its_word(package: Path) -> None:
    answer = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8")))
    assert answer is not None
    word = answer.partition(":")[0]
    homes = [row.where for row in rows() if row.word == word]
    assert homes, f"{word!r} is not in the glossary"
    name = module_name(package)
    assert any(f"{name}.".startswith(f"{home}.") or home.startswith(f"{name}.") for home in homes), homes


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.word)
def test_what_a_word_names_is_there(row: Row) -> None:
    try:
        importlib.import_module(row.where)
    except ModuleNotFoundError:
        module, _, name = row.where.rpartition(".")
        assert hasattr(importlib.import_module(module), name)


def test_words_stand_once_and_in_order() -> None:
    words = [row.word.lower() for row in rows()]
    assert words == sorted(set(words))


@pytest.mark.parametrize("row", [row for row in rows() if row.english], ids=lambda row: row.word)
def test_pages_use_the_words_that_the_glossary_gives_them(row: Row) -> None:
    catalogue = (ROOT / "portal" / "i18n" / "languages" / "fr.po").read_text(encoding="utf-8").lower()
    entries = [entry.partition("msgstr") for entry in catalogue.split("\n\n")]

    def has(text: str, word: str) -> bool:
        return re.search(rf"\b{re.escape(word.lower())}", text) is not None

    assert any(has(source, row.english) and has(french, row.french) for source, _, french in entries)
