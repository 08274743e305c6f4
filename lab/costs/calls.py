"""One request of a program to the application in this process, without a client of the tests' between them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask


def answered(app: Flask, environ: dict[str, Any], expected: HTTPStatus) -> int:
    """How many bytes the answer's body has. AssertionError is for another status."""
    begun: list[str] = []

    def begin(status: str, _headers: object, _error: object = None) -> Callable[[bytes], None]:
        begun.append(status)
        return lambda _octets: None

    answer = app.wsgi_app(environ, begin)
    length = sum(map(len, answer))
    if (close := getattr(answer, "close", None)) is not None:
        close()
    assert begun == [f"{int(expected)} {expected.phrase.upper()}"], (environ["PATH_INFO"], begun)
    return length
