"""docs/sites.md names every column that a file may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from sites.import_export import gateways, networks, sites

PAGE = Path(__file__).parents[2] / "docs" / "sites.md"


@pytest.mark.parametrize("columns", [networks.COLUMNS, sites.COLUMNS, gateways.COLUMNS])
def test_every_column_is_documented(columns: dict[str, object]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in columns if f"`{name}`" not in page] == []
