"""The pages that show the way in name files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"]
# What a reader makes anew, and what the next words stand for.
PLACEHOLDERS = re.compile(r"NNNN|KIND|NOUN|CODE")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+/[\w./-]*)`", text))
    named |= set(re.findall(r"\b(?:tests|portal|auth|sessions|sites|gateways|lab)/[\w/]+\.py\b", text))
    named = {name for name in named if not PLACEHOLDERS.search(name)}
    assert named, "the page names no file"
    # A record of a decision is named by its number.
    assert {name for name in named if not list(ROOT.glob(f"{name.rstrip('/')}*"))} == set()


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="ascii")
    assert text.split()[:5] == ["GNU", "AFFERO", "GENERAL", "PUBLIC", "LICENSE"]
    assert [number for number in range(18) if f"\n  {number}. " not in text] == []
    assert "How to Apply These Terms to Your New Programs" in text
