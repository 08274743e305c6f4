"""A request in one language, for what needs no more of the portal than its words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g


@contextmanager
def speaking(lang: str) -> Iterator[None]:
    with Flask("words").test_request_context():
        g.language = lang
        yield
