from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from auth.patron_import import Imported, RefusedImport, import_patrons
from auth.patrons import PatronRecord, opens
from db.engine import SessionMaker

HEADER = "card,pin,category,expires_on,blocked\n"


def imported(make_session: SessionMaker, text: str) -> Imported:
    with make_session.begin() as db:
        return import_patrons(db, text)


def record(make_session: SessionMaker, card: str) -> PatronRecord:
    with make_session() as db:
        return db.scalars(select(PatronRecord).where(PatronRecord.card == card)).one()


def refused(make_session: SessionMaker, text: str) -> list[str]:
    """The faults found; nothing is in the table after them."""
    with make_session() as db:
        with pytest.raises(RefusedImport) as error:
            import_patrons(db, text)
        db.commit()
        assert db.scalar(select(func.count()).select_from(PatronRecord)) == 0
    return [str(fault) for fault in error.value.faults]


def test_it_reads_every_column(make_session: SessionMaker) -> None:
    assert imported(make_session, HEADER + "AB-1,1234,adult,2027-08-31,yes\n") == Imported(1, 0, 0)
    row = record(make_session, "ab1")
    assert (row.category, row.expires_on, row.blocked) == ("adult", date(2027, 8, 31), True)
    assert opens(row.secret_hash, "1234")
    assert "1234" not in row.secret_hash


def test_it_needs_only_card_and_pin(make_session: SessionMaker) -> None:
    imported(make_session, "card,pin\n1,1234\n")
    row = record(make_session, "1")
    assert (row.category, row.expires_on, row.blocked) == (None, None, False)


def test_it_reads_what_a_french_spreadsheet_writes(make_session: SessionMaker) -> None:
    text = '\ufeffCard;PIN;Category;expires_on;blocked\r\n1;12,34;"Étudiant; adulte";2027-08-31;non\r\n'
    assert imported(make_session, text) == Imported(1, 0, 0)
    row = record(make_session, "1")
    assert row.category == "Étudiant; adulte"
    assert opens(row.secret_hash, "12,34")


def test_importing_twice_changes_nothing(make_session: SessionMaker) -> None:
    text = HEADER + "1,1234,adult,2027-08-31,\n2,5678,,,\n"
    imported(make_session, text)
    before = record(make_session, "1").secret_hash
    assert imported(make_session, text) == Imported(0, 0, 2)
    assert record(make_session, "1").secret_hash == before


def test_it_updates_what_differs_and_leaves_the_others(make_session: SessionMaker) -> None:
    imported(make_session, HEADER + "1,1234,adult,,\n2,5678,adult,,\n3,9012,adult,,\n")
    assert imported(make_session, HEADER + "1,4321,adult,,\n2,5678,adult,,true\n") == Imported(0, 2, 0)
    assert opens(record(make_session, "1").secret_hash, "4321")
    assert record(make_session, "2").blocked
    assert opens(record(make_session, "3").secret_hash, "9012")


def test_every_bad_row_is_named_and_nothing_is_imported(make_session: SessionMaker) -> None:
    text = HEADER + (
        "1,1234,adult,,\n"
        ",1234,,,\n"
        "2,,,,\n"
        "3,\u200b,,,\n"
        "4,1234,,31/08/2027,\n"
        "5,1234,,,perhaps\n"
        "0-1,1234,,,\n"
        "01,1234,,,\n"
        "6,1234,,,,too much\n"
        "7\n"
    )
    assert refused(make_session, text) == [
        "line 3: the card is empty, too long or holds invisible characters",
        "line 4: the pin is empty, too long or holds invisible characters",
        "line 5: the pin is empty, too long or holds invisible characters",
        "line 6: expires_on is '31/08/2027', not a date such as 2027-08-31",
        "line 7: blocked is 'perhaps', neither true nor false",
        "line 9: the card is on line 8 already",
        "line 10: it has more cells than the header",
        "line 11: the pin is empty, too long or holds invisible characters",
    ]


def test_no_fault_repeats_a_pin(make_session: SessionMaker) -> None:
    faults = refused(make_session, HEADER + "1,a secret pin,,never,\n-,a secret pin,,,\n")
    assert len(faults) == 2
    assert "a secret pin" not in "".join(faults)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "the header lacks card and pin"),
        ("card,category", "the header lacks pin"),
        ("card,pin,password", "the header holds 'password'"),
        ("card,pin,pin", "the header names a column twice"),
    ],
)
def test_it_refuses_a_header_that_is_not_ours(make_session: SessionMaker, header: str, words: str) -> None:
    faults = refused(make_session, f"{header}\n1,1234\n")
    assert faults[0].startswith(f"line 1: {words}")


def test_it_refuses_what_is_not_csv(make_session: SessionMaker) -> None:
    assert "it is not CSV" in refused(make_session, HEADER + '1,"12"34,,,\n')[0]
