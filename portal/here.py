"""The request that this thread answers, what was noted about it, and the application, themselves.

Flask's `request`, `g` and `current_app` find out at each use which one they stand for. A page asks a hundred times:
that was a tenth of all that Python does for it. What every page calls asks once, and holds what it was given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, current_app, g, request

this_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]
# Of this request, as `g` has it.
notes: Callable[[], Any] = g._get_current_object
this_app: Callable[[], Flask] = current_app._get_current_object  # type: ignore[attr-defined]
