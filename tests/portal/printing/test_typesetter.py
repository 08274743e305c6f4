"""The press is a child that may fail: it is bounded, knows no secret, and the next print works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from portal.printing import typesetter
from portal.printing.papers import Paper
from portal.printing.sheets import print_pdf
from portal.printing.typesetter import FailedPrinting, RendererBusy
from tests.portal.printing.printed import make_ticket


def print_one() -> bytes:
    return print_pdf([make_ticket()], paper=Paper.L7651)


def replace_press(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(typesetter, "COMMAND", [sys.executable, "-c", program])


def bounded(program: str) -> subprocess.CompletedProcess[str]:
    """What becomes of this program once it has bounded itself as the press does."""
    command = [sys.executable, "-c", f"from portal.printing.press import bound; bound(); {program}"]
    return subprocess.run(command, cwd=typesetter.ROOT, capture_output=True, text=True, timeout=60)


def test_a_press_that_hangs_is_ended_and_the_next_print_works(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        replace_press(patch, "import time; time.sleep(60)")
        patch.setattr(typesetter, "LIMIT_SECONDS", 0.3)
        with pytest.raises(FailedPrinting, match="not done after"):
            print_one()
    assert print_one().startswith(b"%PDF")


def test_a_press_that_crashes_is_named_and_the_next_print_works(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        replace_press(patch, "import os; os.kill(os.getpid(), 9)")
        with pytest.raises(FailedPrinting, match="-9"):
            print_one()
        replace_press(patch, "raise SystemExit('out of ink')")
        with pytest.raises(FailedPrinting, match="1: out of ink"):
            print_one()
        replace_press(patch, "print('%PDF-1.7 and half a page'); raise SystemExit('out of paper')")
        with pytest.raises(FailedPrinting, match="1: out of paper"):
            print_one()
        replace_press(patch, "pass")
        with pytest.raises(FailedPrinting):
            print_one()
    assert print_one().startswith(b"%PDF")


def test_the_press_knows_no_secret_of_the_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AROBASE_SECRET_KEY", "XYZZY")
    replace_press(monkeypatch, "import os; print(dict(os.environ))")
    assert b"XYZZY" not in print_one()


def test_typst_is_not_loaded_where_guests_are_served() -> None:
    program = "import portal.printing.sheets, portal.printing.receipts, sys; print('typst' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=typesetter.ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "False"


def test_one_document_is_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetter, "QUEUE_SECONDS", 0.01)
    with typesetter._press, pytest.raises(RendererBusy):
        print_one()
    assert print_one().startswith(b"%PDF")


def test_the_press_cannot_take_all_memory() -> None:
    assert "MemoryError" in bounded("bytearray(1_000_000_000)").stderr


def test_the_press_cannot_write_a_file(tmp_path: Path) -> None:
    done = bounded(f"f = open({str(tmp_path / 'x')!r}, 'wb', 0); f.write(b'x')")
    assert "File too large" in done.stderr


def test_the_press_cannot_compute_for_ever() -> None:
    limits = bounded("import resource; print(resource.getrlimit(resource.RLIMIT_CPU))")
    assert limits.stdout.strip() == "(30, 30)"


def test_the_press_bounds_itself_before_it_reads_a_job() -> None:
    program = """
import resource
from portal.printing import press
try:
    press.main()
except ValueError:
    print(resource.getrlimit(resource.RLIMIT_AS)[1] == press.MEMORY_BYTES)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="no job at all",
        cwd=typesetter.ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "True"
