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


@pytest.mark.parametrize("sudo", [True, False])
def test_who_is_not_root_is_told_the_line_that_installs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sudo: bool
) -> None:
    """From a new Debian: without lists of packages, and perhaps without sudo."""
    for command in ("dpkg-query", *(["sudo"] if sudo else [])):
        (tmp_path / command).symlink_to("/bin/true")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("lab.packages.SEARCH_PATH", str(tmp_path))
    with pytest.raises(MissingPackages) as missing:
        provide(["no-such-package"])
    install = "apt-get install -y --no-install-recommends no-such-package"
    line = f"sudo apt-get update && sudo {install}" if sudo else f"su -c 'apt-get update && {install}'"
    assert str(missing.value) == line


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
        answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == status
    assert "apt-get install" in answer.stderr
