"""The emptiest Flask application: what any answer costs at least, and any form that is posted."""

from __future__ import annotations

from flask import Flask, Response, request

app = Flask(__name__)


@app.get("/healthz")
def empty() -> str:
    return ""


@app.post("/signin")
def posted() -> Response:
    """As a form that was taken is answered. Its fields and its cookie have been taken apart."""
    assert request.form["visit"] and request.cookies
    return Response(status=303, headers={"Location": "/"})
