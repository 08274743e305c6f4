"""The town's face in tests: a logo for the free network, a photograph of the station."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result
from flask import Flask


def run(app: Flask, *words: str) -> Result:
    done = app.test_cli_runner().invoke(args=list(words))
    app.extensions["arobase"].places.forget()
    return done


def dress(app: Flask, files: Path) -> None:
    assert (
        run(app, "networks", "logo", "wifilib", f"{files}/armes.png", "--alt", "fr", "Les armes").exit_code
        == 0
    )
    words = ("--alt", "fr", "La gare", "--alt", "en", "The station")
    assert run(app, "sites", "photo", "gare-viotte", f"{files}/gare.jpg", *words).exit_code == 0
