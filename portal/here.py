"""The request that this thread answers, what was noted about it, and the application, themselves.

Flask's `request`, `g` and `current_app` find out at each use which one they stand for. A page asks a hundred times:
that was a tenth of all that Python does for it. What every page calls asks once, and holds what it was given. Asked
where there is no request, or no application, each raises LookupError.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request
from flask.globals import _cv_app, _cv_request


def this_request() -> Request:
    return _cv_request.get().request


def notes() -> Any:
    """Of this request, as `g` has it."""
    return _cv_app.get().g


def this_app() -> Flask:
    return _cv_app.get().app
