"""All operations of the API: importing this module gives them to the blueprint."""

from __future__ import annotations

from portal.api import (  # noqa: F401
    access,
    batches,
    description,
    issuing,
    passes,
    records,
    refusals,
)
