"""What the script that measures the sources counts."""

from __future__ import annotations

from pathlib import Path

from lab.house import tell


def test_it_counts_modules_functions_and_names_that_recur(tmp_path: Path) -> None:
    for room in ("auth", "sites"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    (tmp_path / "auth" / "cards.py").write_text(
        "from __future__ import annotations\n"
        "import json\n"
        "from sites import models\n"
        "from sites.models import Place, Gate\n\n"
        "class Card: pass\n"
        "def one(): return json, models, Place, Gate\n",
        encoding="utf-8",
    )
    (tmp_path / "sites" / "models.py").write_text(
        "class Card:\n    def f(self):\n        return 1\n", encoding="utf-8"
    )
    answer = dict(line.split("  ", 1) for line in tell(tmp_path, details=False) if not line.startswith(" "))
    said = {name: value.strip() for name, value in answer.items()}
    assert said["files, lines"] == "4, 10"
    assert said["modules a file imports, p50 / p90 / max"] == "0 / 2 / 2"
    assert said["lines of a function, p50 / p90 / max"] == "2 / 2 / 2"
    assert said["classes whose name recurs"] == "1: Card"
