"""The log as files: fifty thousand rows in the memory of a few hundred, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import multiprocessing
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyarrow import parquet as reader
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from db.engine import make_engine
from sessions.log import listing, parquet
from sessions.log.masks import MASKED, MaskedField, Visibility
from sessions.log.query import Filter
from sessions.log.records import COLUMNS, Names, Record, as_written, records
from sessions.log.search import Show
from sessions.models import AccessSession, Decision, EndReason
from sites.import_export.tables import stream_table
from tests.clock import MovingClock
from tests.sessions.log.rows import ADA, add_session
from tests.town import ADA_PHONE, Town, build_town

ROOT = Path(__file__).parents[3]
ALL: frozenset[str] = frozenset()
MANY = 50_000
FORKS = multiprocessing.get_context("forkserver")


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


def names(town: Town) -> Names:
    site = town.station.site
    return Names({site.id: site.slug}, {site.id: ZoneInfo("Europe/Paris")}, {town.free.id: town.free.slug})


def fill(db: Session, town: Town, clock: MovingClock, count: int) -> None:
    first = add_session(db, town.station, clock() - timedelta(days=30))
    columns = {column.key: getattr(first, column.key) for column in AccessSession.__table__.columns}
    columns |= {"ended_at": clock(), "end_reason": EndReason.EXPIRED}
    del columns["id"]
    for start in range(1, count, 5_000):
        db.execute(
            insert(AccessSession),
            [
                {**columns, "started_at": clock() - timedelta(seconds=number)}
                for number in range(start, min(count, start + 5_000))
            ],
        )
    db.commit()


def every(db: Session, town: Town) -> Any:
    found = listing.every(db, Filter(), Show.ALL, authority_networks=ALL)
    return records(found, names(town), MASKED)


def test_fifty_thousand_rows_need_no_more_memory_than_some_hundreds(
    database_url: str, db: Session, town: Town, clock: MovingClock
) -> None:
    fill(db, town, clock, MANY)
    for kind in ("csv", "parquet"):
        grown, largest, size, cursors = measured(database_url, kind, names(town))
        assert size > MANY * (30 if kind == "csv" else 2)
        # All rows at once are 58 and 74 MiB more; a group of Parquet is in memory while it is written.
        assert grown < {"csv": 16, "parquet": 40}[kind] * 2**20, f"{kind}: {grown / 2**20:.1f} MiB"
        assert largest < size / 4
        if db.get_bind().dialect.name == "postgresql":
            assert "ServerCursor" in cursors


def measured(database_url: str, kind: str, known: Names) -> tuple[int, int, int, set[str]]:
    """What `export` tells, from a process of its own."""
    ours, childs = FORKS.Pipe()
    child = FORKS.Process(target=export, args=(childs, database_url, kind, known))
    child.start()
    childs.close()
    found: tuple[int, int, int, set[str]] = ours.recv()
    child.join()
    return found


def export(line: Connection, database_url: str, kind: str, known: Names) -> None:
    """Write the whole log in a process of its own. Tells by how many octets that raised its memory, the size of the
    largest piece and of all, and by what kinds of cursor it read."""
    engine, cursors = make_engine(database_url), set()
    event.listen(engine, "before_cursor_execute", lambda _c, cursor, *_: cursors.add(type(cursor).__name__))
    with Session(engine) as db:
        # Some hundreds first: that loads the libraries, and what they keep in reserve.
        assert list(written(islice(whole_log(db, known), 500), kind))
        before = peak_memory(anew=True)
        sizes = [len(piece) for piece in written(whole_log(db, known), kind)]
        line.send((peak_memory() - before, max(sizes), sum(sizes), cursors))
    engine.dispose()


def whole_log(db: Session, known: Names) -> Iterator[Record]:
    return records(listing.every(db, Filter(), Show.ALL, authority_networks=ALL), known, MASKED)


def written(found: Iterable[Record], kind: str) -> Iterator[bytes]:
    if kind == "parquet":
        return parquet.stream(found, note="all")
    return stream_table(COLUMNS, map(as_written, found), note="all")


def peak_memory(*, anew: bool = False) -> int:
    """The most memory that this process has had, in octets; with `anew`, counted from now on (proc(5), VmHWM)."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"^VmHWM:\s+(\d+)", status, re.MULTILINE)[1])  # type: ignore[index]


def test_a_table_holds_every_line_masked_with_both_times(db: Session, town: Town, clock: MovingClock) -> None:
    add_session(db, town.station, clock(), ended_at=clock(), end_reason=EndReason.LEFT)
    db.add(
        Decision(
            code="K7Q4MX",
            at=clock() - timedelta(seconds=1),
            rule="busy",
            step="page",
            site_id=town.station.site_id,
            network_id=town.free.id,
            mac=ADA_PHONE,
            detail={"device": "iphone"},
        )
    )
    db.flush()
    text = b"".join(stream_table(COLUMNS, map(as_written, every(db, town)), note="last=1h\r\nx")).decode(
        "utf-8-sig"
    )
    note, _, table = text.partition("\r\n")
    assert note == "# last=1h x"
    session, refusal = csv.DictReader(io.StringIO(table), delimiter=";")
    assert (session["kind"], session["site"], session["end_reason"]) == ("session", "gare-viotte", "left")
    assert session["began_utc"] == clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert session["began_local"].endswith("+01:00")
    assert (session["mac"], session["address"], session["pseudonym"]) == ("…:0a:01", "….5", "ada0…")
    assert (refusal["kind"], refusal["number"], refusal["rule"], refusal["device"]) == (
        "refusal",
        "K7Q-4MX",
        "busy",
        "iphone",
    )


def test_what_was_lifted_stands_in_full(db: Session, town: Town, clock: MovingClock) -> None:
    add_session(db, town.station, clock())
    found = listing.every(db, Filter(), Show.SESSIONS, authority_networks=ALL)
    (record,) = records(found, names(town), Visibility(frozenset({MaskedField.DEVICES})))
    assert (record["mac"], record["address"], record["pseudonym"]) == (ADA_PHONE, "10.66.0.5", "ada0…")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    """A spreadsheet would run it."""
    record = {**dict.fromkeys(COLUMNS), "device": cell}
    text = b"".join(stream_table(COLUMNS, [record], note="=1+1")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text.partition("\r\n")[2]), delimiter=";")
    assert row["device"] == f"'{cell}"
    assert text.startswith("# ")


def test_parquet_is_read_with_its_types(db: Session, town: Town, clock: MovingClock) -> None:
    for number in range(12):
        add_session(db, town.station, clock() - timedelta(seconds=number), mac=f"02:00:00:00:00:{number:02x}")
    content = b"".join(parquet.stream(every(db, town), note="all of it", group=5))
    file = reader.ParquetFile(io.BytesIO(content))
    assert file.num_row_groups == 3
    assert file.schema_arrow.metadata[b"note"] == b"all of it"
    table = file.read()
    assert table.column_names == list(COLUMNS)
    assert table["began_utc"][0].as_py() == clock()
    assert table["ended_utc"][0].as_py() is None
    assert set(table["pseudonym"].to_pylist()) == {f"{ADA[:4]}…"}


def test_nothing_found_is_a_file_too(db: Session, town: Town) -> None:
    content = b"".join(parquet.stream(every(db, town), note="none"))
    assert reader.ParquetFile(io.BytesIO(content)).read().num_rows == 0
    assert len(b"".join(stream_table(COLUMNS, [], note="none")).splitlines()) == 2


def test_the_library_is_loaded_by_the_first_file_alone() -> None:
    """Workers start without it: it weighs more than all the rest together."""
    code = "import sys, portal.app, portal.staff, sessions.log.parquet; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
