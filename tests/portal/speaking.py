"""A request in one language, for what needs no more of the portal than its words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from portal.i18n.translation import load_catalogues


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    app = Flask("words")
    app.extensions["arobase-catalogues"] = load_catalogues()
    with app.test_request_context(f"/?lang={lang}"):
        yield
