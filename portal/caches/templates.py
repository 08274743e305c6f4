"""Compiled templates, kept in a folder of the server's own from one start to the next.

Staff's pages take most of a second to compile and a thirtieth of that to read. What is kept is code: only a folder that
nobody else may write to or look into is used, and one that fails costs a page nothing but its time.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import jinja2
from jinja2 import Environment
from jinja2.bccache import Bucket, FileSystemBytecodeCache

log = logging.getLogger(__name__)


def use_folder(environment: Environment, folder: Path | None) -> None:
    """Have `environment` keep its compiled templates in `folder`, where there is one and others do not reach it."""
    if folder is None:
        return
    if (fault := _fault_of(folder)) is not None:
        log.warning("templates are compiled anew at each start: %s %s", folder, fault)
        return
    environment.bytecode_cache = TemplateCache(folder, environment)


def _fault_of(folder: Path) -> str | None:
    try:
        found = folder.lstat()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISDIR(found.st_mode):
        return "is no folder"
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        return "must be this server's alone (mode 0700)"
    return None


class TemplateCache(FileSystemBytecodeCache):
    """What was compiled by another Jinja, or by other rules, is compiled anew, as is what cannot be read."""

    def __init__(self, folder: Path, environment: Environment) -> None:
        super().__init__(str(folder), "%s.template")
        self._compiler = repr(
            (
                jinja2.__version__,
                environment.trim_blocks,
                environment.lstrip_blocks,
                environment.keep_trailing_newline,
                environment.optimized,
                sorted(environment.extensions),
            )
        )
        self._is_told = False

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(self._compiler + source)

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception as error:
            # A file that was cut short: what it holds is read by pickle, which may raise anything.
            bucket.reset()
            self._tell(error)

    def dump_bytecode(self, bucket: Bucket) -> None:
        try:
            super().dump_bytecode(bucket)
        except OSError as error:
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Once is enough: there are some hundred templates."""
        if not self._is_told:
            self._is_told = True
            log.warning("compiled templates cannot be kept in %s: %r", self.directory, error)
