"""What a check of the installation found: one sentence each, for an operator to read."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """A fault keeps people out now; a warning may, or will."""

    GOOD = "good"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class ConfigFinding:
    severity: Severity
    sentence: str


def good(sentence: str) -> ConfigFinding:
    return ConfigFinding(Severity.GOOD, sentence)


def warning(sentence: str) -> ConfigFinding:
    return ConfigFinding(Severity.WARNING, sentence)


def fault(sentence: str) -> ConfigFinding:
    return ConfigFinding(Severity.FAULT, sentence)
