"""Cells that a spreadsheet would run are defused on the way out and whole again on the way in (CWE-1236)."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sites.exchange.tables import defuse, read_table, undefuse, write_table

RISKY = [
    "=1+1",
    "+33 3",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "'=1+1",
    "''@x",
    "-",
    "=",
    "+1",
]


@pytest.mark.parametrize("cell", RISKY)
def test_no_cell_is_a_formula(cell: str) -> None:
    [_, [written]] = list(csv.reader(io.StringIO(write_table(["a"], [{"a": cell}]).decode(), newline="")))
    assert written == f"'{cell}"
    assert undefuse(written) == cell


@pytest.mark.parametrize("cell", ["-4.48", "-1", "6.02", "0", "-1e-05", "'quoted'", "l'été", "a=b", ""])
def test_numbers_and_plain_text_stay_as_they_are(cell: str) -> None:
    assert defuse(cell) == cell
    assert undefuse(cell) == cell


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n＝a1, ;\""), max_size=8))
def test_every_cell_survives_the_way_there_and_back(cell: str) -> None:
    assert undefuse(defuse(cell)) == cell
    for excel in (True, False):
        content = write_table(["a", "b"], [{"a": cell, "b": "x"}], excel=excel)
        [row] = read_table(content.decode("utf-8-sig")).rows
        assert row.cells == {"a": cell, "b": "x"}


def test_an_apostrophe_before_a_sign_in_a_foreign_file_is_taken_as_a_defused_cell() -> None:
    [row] = read_table("a\n'=x\n").rows
    assert row.cells == {"a": "=x"}
