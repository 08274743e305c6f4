"""The main acts cost what the page says, and no more."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.costs.__main__ import HEAD, INSTRUCTIONS, KINDS, STATEMENTS, measure, read_table, table
from lab.costs.counting import Costs
from lab.servers import TOP

PAGE = TOP / "docs" / "costs.md"
# By how much an act may be dearer than the page says.
MARGIN = 1.05


def test_no_act_has_become_dearer(tmp_path: Path) -> None:
    """Counted on SQLite, and by Python of the version that the page was counted by."""
    page = PAGE.read_text(encoding="utf-8")
    committed = read_table(page, "sqlite")
    found = measure(tmp_path / "sqlite", "sqlite")
    assert list(found) == list(committed)
    statements = {act: len(costs.statements) for act, (costs, _) in found.items()}
    assert statements == {act: figures[STATEMENTS] for act, figures in committed.items()}
    if f"Python {sys.version_info.major}.{sys.version_info.minor})" in page:
        dearer = {
            act: (costs.total, committed[act][INSTRUCTIONS])
            for act, (costs, _) in found.items()
            if costs.total > MARGIN * committed[act][INSTRUCTIONS]
        }
        assert dearer == {}


def test_the_page_is_what_the_command_prints() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.startswith(HEAD.partition("{version}")[0])
    assert [read_table(page, kind).keys() for kind in KINDS] == [read_table(page, "sqlite").keys()] * 2


def test_a_table_is_read_as_it_was_written() -> None:
    costs = Costs(statements=["SELECT 1"], commits=2)
    costs.instructions.update({"db/": 1_200, "portal/": 34})
    read = read_table(
        f"## sqlite\n\n{table({'first page': (costs, 14_000), 'another': (Costs(), 0)})}", "sqlite"
    )
    assert read["first page"][STATEMENTS] == 1 and read["first page"][INSTRUCTIONS] == 1_234
    assert read["another"][INSTRUCTIONS] == 0
