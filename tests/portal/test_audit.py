"""``flask audit``: the words and exit statuses an operator relies on, and the anchors that the sweep leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from portal import audit_anchors
from portal.services import Services
from tests.auth.tampering import forge, unguarded, write
from tests.clock import MovingClock


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def test_a_whole_trail_says_so_and_what_it_cannot_know(app: Flask, services: Services) -> None:
    write(services.make_session, 3)
    done = run(app, "audit", "verify")
    assert done.exit_code == 0
    assert done.output == (
        "Whole: 3 entries; without an anchor, a trail whose end was cut off would look the same.\n"
    )


def test_an_anchor_is_printed_kept_and_checked_later(app: Flask, services: Services, tmp_path: Path) -> None:
    write(services.make_session, 3)
    file = tmp_path / "anchor.txt"
    printed = run(app, "audit", "anchor", "--to", str(file))
    assert printed.exit_code == 0
    assert "number: 3\n" in printed.output
    assert file.read_text(encoding="utf-8") == printed.output
    write(services.make_session, 2)
    done = run(app, "audit", "verify", "--anchor", str(file))
    assert (done.exit_code, done.output) == (0, "Whole: 5 entries.\n")


def test_tampering_is_told_by_number_kind_and_exit_status(app: Flask, services: Services) -> None:
    write(services.make_session, 3)
    with unguarded(services.engine) as connection:
        connection.execute(text("UPDATE trail SET actor = 'somebody' WHERE number = 2"))
    done = run(app, "audit", "verify")
    assert done.exit_code == 1
    assert done.output == "NOT WHOLE. First bad entry: 2. It was edited.\n"


def test_a_rewritten_trail_is_told_by_an_anchor(app: Flask, services: Services, tmp_path: Path) -> None:
    write(services.make_session, 3)
    file = tmp_path / "anchor.txt"
    run(app, "audit", "anchor", "--to", str(file))
    with unguarded(services.engine) as connection:
        connection.execute(text("UPDATE trail SET actor = 'somebody' WHERE number = 2"))
    forge(services.engine, start=2)
    answer = "NOT WHOLE. First bad entry: 2. It bears no seal of this installation"
    assert run(app, "audit", "verify").output.startswith(answer)
    done = run(app, "audit", "verify", "--anchor", str(file))
    assert done.exit_code == 1
    assert "First bad entry: 1" in done.output and "rewritten" in done.output


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("nothing at all", "no anchor"),
        ("{}\nseal: " + "0" * 64, "seal is not ours"),
    ],
)
def test_a_file_that_shows_nothing_is_refused(
    app: Flask, services: Services, tmp_path: Path, words: str, answer: str
) -> None:
    write(services.make_session, 1)
    anchor = run(app, "audit", "anchor").output.partition("\nseal:")[0]
    file = tmp_path / "anchor.txt"
    file.write_text(words.format(anchor), encoding="utf-8")
    done = run(app, "audit", "verify", "--anchor", str(file))
    assert done.exit_code == 3
    assert answer in done.output


def test_an_empty_trail_has_nothing_to_anchor(app: Flask) -> None:
    done = run(app, "audit", "anchor")
    assert done.exit_code == 1 and "empty" in done.output


def test_a_file_that_cannot_be_written_is_told(app: Flask, services: Services, tmp_path: Path) -> None:
    write(services.make_session, 1)
    done = run(app, "audit", "anchor", "--to", str(tmp_path / "nowhere" / "anchor.txt"))
    assert done.exit_code == 1 and "No such file" in done.output


def test_the_sweep_leaves_an_anchor_an_hour_while_there_are_deeds(
    services: Services, clock: MovingClock, tmp_path: Path
) -> None:
    ours = replace(services, settings=replace(services.settings, anchor_folder=tmp_path))
    file = tmp_path / audit_anchors.FILE

    def numbers() -> list[int]:
        return [anchor.number for anchor in services.anchors.read(file.read_text(encoding="utf-8")).anchors]

    assert audit_anchors.write_checkpoint(ours) is None
    write(ours.make_session, 2)
    audit_anchors.write_checkpoint(ours)
    assert numbers() == [2]
    write(ours.make_session, 1)
    clock.advance(minutes=59)
    audit_anchors.write_checkpoint(ours)
    assert numbers() == [2]
    clock.advance(minutes=1)
    audit_anchors.write_checkpoint(ours)
    assert numbers() == [2, 3]
    clock.advance(hours=2)
    audit_anchors.write_checkpoint(ours)
    assert numbers() == [2, 3]


def test_an_anchor_torn_by_a_power_cut_spoils_no_later_one(
    services: Services, clock: MovingClock, tmp_path: Path
) -> None:
    ours = replace(services, settings=replace(services.settings, anchor_folder=tmp_path))
    write(ours.make_session, 1)
    audit_anchors.write_checkpoint(ours)
    file = tmp_path / audit_anchors.FILE
    file.write_text(file.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    audit_anchors.write_checkpoint(ours)
    found = services.anchors.read(file.read_text(encoding="utf-8"))
    assert (len(found.anchors), found.unfinished, found.foreign) == (1, 1, 0)


def test_a_folder_that_is_away_stops_nothing(services: Services, tmp_path: Path) -> None:
    ours = replace(services, settings=replace(services.settings, anchor_folder=tmp_path / "away"))
    write(ours.make_session, 1)
    assert audit_anchors.write_checkpoint(ours) is None


def test_the_sweep_command_leaves_one(app: Flask, services: Services, tmp_path: Path) -> None:
    app.extensions["arobase"] = replace(services, settings=replace(services.settings, anchor_folder=tmp_path))
    write(services.make_session, 1)
    assert run(app, "sweep").exit_code == 0
    assert (tmp_path / audit_anchors.FILE).exists()
