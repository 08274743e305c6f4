"""Who sits at the command line, for the audit log."""

from __future__ import annotations

import os

from auth.audit import actor
from auth.audit.actor import Actor


def operator() -> Actor:
    """By the login that sudo tells of; without sudo the machine's own account says nothing about a person."""
    return actor.command_line(os.environ.get("SUDO_USER", ""))
