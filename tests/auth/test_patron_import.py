from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from auth.patrons.csv_import import Imported, import_patrons
from auth.patrons.local import PatronRecord, opens
from db.engine import SessionMaker
from sites.errors import RefusedImport
from sites.import_export.rows import decode

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
        "4,1234,,2027-31-08,\n"
        "5,1234,,,perhaps\n"
        "0-1,1234,,,\n"
        "01,1234,,,\n"
        "6,1234,,,,too much\n"
        "7\n"
    )
    assert refused(make_session, text) == [
        "line 3: card: is empty, too long or holds invisible characters",
        "line 4: pin: is empty, too long or holds invisible characters",
        "line 5: pin: is empty, too long or holds invisible characters",
        "line 6: expires_on: '2027-31-08' is not a date such as 2027-08-31 or 31/08/2027",
        "line 7: blocked: 'perhaps' is neither true nor false",
        "line 9: card: is on line 8 already",
        "line 10: 6 cells for 5 columns",
        "line 11: pin: is empty, too long or holds invisible characters",
    ]


def test_what_is_wrong_in_many_rows_is_said_once(make_session: SessionMaker) -> None:
    rows = "".join(f"{number},1234,,soon,\n" for number in range(50))
    assert refused(make_session, HEADER + rows) == [
        "line 2 and 49 more: expires_on: 'soon' is not a date such as 2027-08-31 or 31/08/2027"
    ]


def test_no_fault_repeats_a_pin(make_session: SessionMaker) -> None:
    faults = refused(make_session, HEADER + "1,a secret pin,,never,\n-,a secret pin,,,\n")
    assert len(faults) == 2
    assert "a secret pin" not in "".join(faults)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("", "the file is empty"),
        ("card,category", "pin: this column is missing"),
        ("card|pin", "card|pin: there is no such column"),
        ("card pin", "card: this column is missing: put commas, semicolons or tabs"),
        ("card,pin,password", "password: there is no such column; the columns are card, pin"),
        ("card,pin,expires on", "expires on: there is no such column; is it expires_on?"),
        ("card,pin,pin", "pin: this column is there twice"),
    ],
)
def test_it_refuses_a_header_that_is_not_ours(make_session: SessionMaker, header: str, words: str) -> None:
    faults = refused(make_session, f"{header}\n1,1234\n" if header else "")
    assert any(fault.startswith(f"line 1: {words}") for fault in faults), faults


def test_it_refuses_what_is_not_csv(make_session: SessionMaker) -> None:
    assert "cannot be read on from here" in refused(make_session, HEADER + '1,"12"34,,,\n')[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_it_reads_every_form_of_a_french_excel(
    make_session: SessionMaker, encoding: str, separator: str
) -> None:
    rows = ["card;pin;category;expires_on;blocked", "29000001;1234;Étudiante à vie;31/08/2027;VRAI", ";;;;", "  ; ;;;",
            "29000002;l'été;;;FAUX", "29000003;5678", ";;;;"]  # fmt: skip
    content = "".join(f"{row.replace(';', separator)}\r\n" for row in rows).encode(encoding)
    assert imported(make_session, decode(content)) == Imported(3, 0, 0)
    first = record(make_session, "29000001")
    assert (first.category, first.expires_on, first.blocked) == ("Étudiante à vie", date(2027, 8, 31), True)
    assert opens(record(make_session, "29000002").secret_hash, "l'été")
    assert not record(make_session, "29000003").blocked


@pytest.mark.parametrize(("word", "blocked"), [
    ("VRAI", True), ("vrai", True), ("oui", True), ("true", True), ("1", True),
    ("FAUX", False), ("non", False), ("", False), ("0", False), ("\u00a0FAUX\u202f", False),
])  # fmt: skip
def test_blocked_is_said_as_in_any_other_file(make_session: SessionMaker, word: str, blocked: bool) -> None:
    imported(make_session, HEADER + f"1,1234,,,{word}\n")
    assert record(make_session, "1").blocked is blocked


@pytest.mark.parametrize(("text", "ends"), [
    ("2027-08-31", date(2027, 8, 31)), ("31/08/2027", date(2027, 8, 31)), ("1/9/2027", date(2027, 9, 1)),
    ("31.08.2027", date(2027, 8, 31)), ("2027-08-31 00:00:00", date(2027, 8, 31)), ("", None),
    ("2027-08-31T23:59", date(2027, 8, 31)), ("31/08/2027 00:00", date(2027, 8, 31)),
])  # fmt: skip
def test_days_are_read_as_libraries_write_them(
    make_session: SessionMaker, text: str, ends: date | None
) -> None:
    imported(make_session, HEADER + f"1,1234,,{text},\n")
    assert record(make_session, "1").expires_on == ends


@pytest.mark.parametrize(("text", "words"), [
    ("31/08/27", "is not a date"), ("08/31/2027", "is not a date"), ("0000-00-00", "leave the cell empty"),
    ("46630", "format the column as a date"), ("août 2027", "is not a date"), ("2027-02-30", "is not a date"),
])  # fmt: skip
def test_no_day_is_guessed(make_session: SessionMaker, text: str, words: str) -> None:
    [fault] = refused(make_session, HEADER + f"1,1234,,{text},\n")
    assert fault.startswith("line 2: expires_on: ") and words in fault


@pytest.mark.parametrize("card", [
    "1,23457E+11", "1.23457E+11", "2,9E+07", "12-juil", "juil-12", "12-juil.-26", "5 mars", "12/07/2026", "3/4",
    "2026-07-12 00:00:00", "29000001,0", "29000001.00", "#N/A", "#REF!", "#VALEUR!", "#NOM?", "######", "Err:502",
    "caf\u00c3\u00a9", "29\ufffd01",
])  # fmt: skip
def test_a_card_that_a_spreadsheet_spoiled_is_refused(make_session: SessionMaker, card: str) -> None:
    [fault] = refused(make_session, f'card;pin\n"{card}";1234\n')
    assert fault.startswith("line 2: card: ")
    assert "save" in fault


@pytest.mark.parametrize("pin", ["1,2E+05", "12-juil", "juil-12", "1234,0", "#N/A", "####"])
def test_a_pin_that_a_spreadsheet_spoiled_is_refused_and_not_repeated(
    make_session: SessionMaker, pin: str
) -> None:
    [fault] = refused(make_session, f'card;pin\n1;"{pin}"\n')
    assert fault.startswith("line 2: pin: ")
    assert pin not in fault or pin.startswith("#")


@pytest.mark.parametrize(("card", "kept"), [
    ("'29000001", "29000001"), ('"=""29000001"""', "29000001"), ("29\u202f000\u00a0001", "29000001"),
    ("AB-12E4", "ab12e4"), ("d'arc", "d'arc"), ("12-A", "12a"), ("29-000-001", "29000001"),
])  # fmt: skip
def test_cards_that_were_held_as_text_are_read(make_session: SessionMaker, card: str, kept: str) -> None:
    imported(make_session, f"card;pin\n{card};1234\n")
    assert record(make_session, kept)


@pytest.mark.parametrize(
    "pin", ["'=x", "'-1", "=1+1", "12/07/1990", "12-07-1990", "1e5", "12E4", "@me", "007"]
)
def test_a_pin_is_taken_as_it_stands(make_session: SessionMaker, pin: str) -> None:
    imported(make_session, f"card;pin\n1;{pin}\n")
    assert opens(record(make_session, "1").secret_hash, pin)


def numbered(numbers: list[str]) -> str:
    return "card;pin\n" + "".join(f"{number};pin of {number}\n" for number in numbers)


def test_numbers_that_lost_their_zeros_are_refused_unless_that_is_right(make_session: SessionMaker) -> None:
    numbers = [f"2900{number:04d}" for number in range(18)]
    [fault] = refused(make_session, numbered([*numbers, "290017"]))
    assert fault.startswith("line 20: card: is shorter than the 8 digits of nearly all others")
    with make_session.begin() as db:
        assert import_patrons(db, numbered([*numbers, "290017"]), allow_short=True).added == 19


def test_pins_that_lost_their_zeros_are_refused(make_session: SessionMaker) -> None:
    rows = "".join(f"a{number};{1000 + number}\n" for number in range(18))
    [fault] = refused(make_session, f"card;pin\n{rows}a99;123\n")
    assert fault.startswith("line 20: pin: is shorter than the 4 digits")
    assert "123" not in fault


@pytest.mark.parametrize("numbers", [
    [str(number) for number in range(1, 20)],
    [f"{number:08d}" for number in range(18)] + ["290017"],
    [f"2900{number:04d}" for number in range(18)] + ["7"],
    [f"2900{number:04d}" for number in range(5)] + ["290017"],
])  # fmt: skip
def test_numbers_of_several_lengths_are_not_suspected(make_session: SessionMaker, numbers: list[str]) -> None:
    assert imported(make_session, numbered(numbers)).added == len(numbers)


def test_numbers_that_lost_their_last_digits_are_refused(make_session: SessionMaker) -> None:
    spoilt = [f"29000000000{number:04d}000" for number in range(1, 5)]
    [fault] = refused(make_session, numbered(spoilt))
    assert "keeps no more" in fault


def test_a_file_that_is_cut_off_is_refused(make_session: SessionMaker) -> None:
    [fault] = refused(make_session, HEADER + "1,1234,adult,,\n2,12")
    assert fault == "line 3: the file is cut off here: 2 cells of 5"
