"""Templates compiled once in a run of the tests, and not once for each application."""

from __future__ import annotations

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """What was compiled, by template and the text that it had (jinja.palletsprojects.com, "Bytecode Cache")."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def compile_once() -> None:
    """Let every application that is made from now on use the templates that others have compiled."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
