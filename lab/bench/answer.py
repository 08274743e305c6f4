"""The emptiest Flask application: what any answer costs at least."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def empty() -> str:
    return ""
