"""Cells that a spreadsheet would run are defused on the way out and whole again on the way in (CWE-1236)."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sites.import_export.cells import day
from sites.import_export.tables import defuse, read_table, stream_table, undefuse, write_table

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


@example('=""')
@given(st.text(alphabet=st.sampled_from("'=+-@0/E\t\r\n＝a1, ;\""), max_size=8))
def test_every_cell_survives_the_way_there_and_back(cell: str) -> None:
    assert undefuse(defuse(cell)) == cell
    for excel in (True, False):
        content = write_table(["a", "b"], [{"a": cell, "b": "x"}], excel=excel)
        [row] = read_table(content.decode("utf-8-sig")).rows
        assert row.cells == {"a": cell, "b": "x"}


def test_an_apostrophe_before_a_sign_in_a_foreign_file_is_taken_as_a_defused_cell() -> None:
    [row] = read_table("a\n'=x\n").rows
    assert row.cells == {"a": "=x"}


@pytest.mark.parametrize(
    "cell", ["12-7", "3/4", "1-12-25", "007", "2900000000000001", "12e4", "1.2", "1,5E3"]
)
def test_excel_is_kept_from_making_a_date_or_a_number_of_text(cell: str) -> None:
    """A pass 12-7 would be shown as 12 July, and a card 007 as 7."""
    for excel, written in ((True, f"'{cell}"), (False, cell)):
        content = write_table(["a"], [{"a": cell}], excel=excel)
        [_, [found]] = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
        assert found == written
        assert read_table(content.decode()).rows[0].cells == {"a": cell}
    streamed = b"".join(stream_table(["a"], [{"a": cell}], note="x")).decode()
    assert f'"\'{cell}"' in streamed
    assert read_table(streamed).rows[0].cells == {"a": cell}


@pytest.mark.parametrize("cell", [12, 0, 47.2473, -3.5, True, None, "2026-11-22", "10.66.0.7", "viotte-1"])
def test_numbers_days_and_names_stay_plain_for_excel(cell: str | float | None) -> None:
    assert "'" not in write_table(["a"], [{"a": cell}], excel=True).decode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("31/08/2027", date(2027, 8, 31)),
        ("2027-08-31", date(2027, 8, 31)),
        (" 1/9/2027\u00a0", date(2027, 9, 1)),
        ("", None),
    ],
)
def test_a_day_is_read_in_both_usual_forms(text: str, value: date | None) -> None:
    assert day(text) == value
