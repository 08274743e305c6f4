from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lab.packages import MissingPackages, lacking, provide
from tests.services.parts import program

TOP = Path(__file__).resolve().parents[2]


def test_what_is_installed_is_not_lacking() -> None:
    program("dpkg-query")
    assert lacking(["bash", "no-such-package", "coreutils"]) == ["no-such-package"]


def test_nothing_is_done_where_nothing_is_lacking(capsys: pytest.CaptureFixture[str]) -> None:
    provide(["bash"])
    assert capsys.readouterr().out == ""


def test_who_is_not_root_is_told_the_line_that_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    program("dpkg-query")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingPackages) as missing:
        provide(["bash", "no-such-package"])
    assert str(missing.value) == "sudo apt-get install -y --no-install-recommends no-such-package"


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--needed",), 1)])
def test_only_what_is_needed_makes_it_fail(words: tuple[str, ...], status: int) -> None:
    program("dpkg-query")
    program("setpriv")
    ordinary = ["setpriv", "--reuid=65534", "--"] if os.geteuid() == 0 else []
    code = "import sys; sys.path.insert(0, '.'); from lab.packages import main; sys.exit(main())"
    command = [*ordinary, sys.executable, "-c", code, *words, "no-such-package"]
    with tempfile.TemporaryDirectory() as folder:
        # The checkout may stand where an ordinary user cannot read.
        shutil.copytree(TOP / "lab", Path(folder, "lab"), ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        told = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert told.returncode == status
    assert "apt-get install" in told.stderr
