"""What `make test` leaves out, `make test-all` runs; and neither runs anything twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.order import FIRST
from tests.selection import ON_BOTH_ALL_THE_SAME, ON_ONE_DATABASE
from tests.services.parts import program

TOP = Path(__file__).resolve().parents[1]
LONG = "tests/lab/test_bench.py::test_the_rows_of_the_passes_are_all_measured"
STENCIL = re.compile(r"tests/portal/test_stencils.py::.*\[postgresql\b")


def collected(*paths: str, everything: bool) -> set[str]:
    """What pytest would run of these files."""
    return set(in_order(*paths, everything=everything))


def in_order(*arguments: str, everything: bool = False) -> list[str]:
    """What pytest would run, the first first."""
    environment = {name: value for name, value in os.environ.items() if name != "TEST_ALL"}
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=TOP,
        env=environment | ({"TEST_ALL": "1"} if everything else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in answer.stdout.splitlines() if "::" in line]


def test_what_is_left_out_is_run_before_a_release() -> None:
    paths = ("tests/lab/test_bench.py", "tests/portal/test_stencils.py", "tests/portal/staff/test_matrix.py")
    short, whole = collected(*paths, everything=False), collected(*paths, everything=True)
    assert short < whole
    assert LONG in whole - short
    assert any(map(STENCIL.match, whole - short)) and not any(map(STENCIL.match, short))
    assert all("postgresql" in one or one.startswith("tests/lab/test_bench.py::") for one in whole - short)
    assert [one for one in short if one.startswith(ON_BOTH_ALL_THE_SAME)]


@pytest.mark.parametrize("module", sorted({*ON_ONE_DATABASE, *FIRST}))
def test_a_module_that_is_named_is_there(module: str) -> None:
    assert (TOP / module).is_file()


def test_the_long_files_are_handed_out_first_and_nothing_is_lost() -> None:
    long, short = "tests/gateways/test_lease_file.py", "tests/gateways/test_kinds.py"
    ordered = in_order(short, long, "-p", "tests.order")
    assert [one.partition("::")[0] for one in ordered] == sorted(
        (one.partition("::")[0] for one in ordered), key=(long, short).index
    )
    assert sorted(ordered) == sorted(in_order(short, long))


@pytest.mark.parametrize(("target", "everything"), [("test", False), ("test-all", True)])
def test_the_command_runs_all_tests_once_and_says_which_are_slow(target: str, everything: bool) -> None:
    answer = subprocess.run(
        [program("make"), "-n", target],
        cwd=TOP,
        env={name: value for name, value in os.environ.items() if not name.startswith(("TEST_ALL", "MAKE"))},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (runs,) = re.findall(r"^.*\bpytest\b.*$", answer, re.MULTILINE)
    assert re.search(
        r"pytest -n [0-9]+ --dist loadfile --no-loadscope-reorder -p tests\.order --durations=15$", runs
    )
    assert ("TEST_ALL=1" in answer) is everything
