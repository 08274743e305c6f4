"""The mutants' lists fit the tree, and a mutant is judged by its tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lab.mutants import Mutant, faults, read_lists
from lab.mutants.__main__ import try_all
from lab.mutants.trial import Tree

DOOR = "def may_enter(age: int) -> bool:\n    return age >= 18\n"
TEST = "from door import may_enter\n\n\ndef test_children_stay_out() -> None:\n    assert not may_enter(17)\n"
OPEN = Mutant(
    "the door is open",
    "door.py",
    "age >= 18",
    "age >= 8",
    ("test_door.py::test_children_stay_out",),
    "A reason.",
)


def test_every_mutant_finds_its_text_once_and_its_tests() -> None:
    mutants = read_lists()
    assert len(mutants) >= 40
    assert list(faults(mutants)) == []


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "door.py").write_text(DOOR)
    (tmp_path / "test_door.py").write_text(TEST)
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        {"old": "age > 18"},
        {"old": "age"},
        {"new": OPEN.old},
        {"new": "age >="},
        {"file": "window.py"},
        {"tests": ()},
        {"tests": ("test_door.py::test_nobody_wrote",)},
        {"tests": ("test_window.py",)},
        {"why": ""},
    ],
    ids=str,
)
def test_a_list_that_does_not_fit_is_told(house: Path, change: dict[str, str]) -> None:
    assert list(faults([OPEN], house)) == []
    assert len(list(faults([replace(OPEN, **change)], house))) == 1


def test_two_mutants_of_one_name_are_told(house: Path) -> None:
    assert list(faults([OPEN, OPEN], house)) == [f"two mutants are called {OPEN.name!r}"]


def test_what_the_tests_see_is_killed_and_what_they_do_not_see_survives(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    barely = replace(OPEN, name="a year too early", new="age >= 17")
    later = replace(OPEN, name="nobody of 18 enters", new="age > 18")
    broken = replace(OPEN, name="no door at all", old="def may_enter", new="def may_leave")
    assert try_all([OPEN, barely], [Tree(house)]) == 0
    assert try_all([OPEN, later, broken], [Tree(house)]) == 1
    said = capsys.readouterr().out
    assert said.count("killed    the door is open") == 2
    assert "killed    a year too early" in said
    assert "survived  nobody of 18 enters" in said
    assert "broken    no door at all" in said
    assert "1 killed, 2 not" in said
    # Each change was taken back.
    assert (house / "door.py").read_text() == DOOR


def test_tests_that_are_red_without_a_change_say_nothing_of_a_mutant(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (house / "door.py").write_text(DOOR.replace("18", "8"))
    assert try_all([replace(OPEN, old="age >= 8", new="age >= 1")], [Tree(house)]) == 1
    assert "must be green before" in capsys.readouterr().out
