"""A client that asks to come in: through which gateway, since when, and which terms its person accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateways.types import Client
from sites.models import Gateway


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Which terms the person accepted: version, language, and the digest of the very text (SHA-256, hex)."""

    version: str
    language: str
    digest: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """`gateway` comes with its site and network. `landed_at` is when the device came to the portal, where known.

    `resume_digest` is that of the code by which the session goes on under another address (`auth.resume_codes`).
    """

    gateway: Gateway
    client: Client
    acceptance: Acceptance
    landed_at: datetime | None = None
    resume_digest: str | None = None
