"""What can be wrong with a controller, told apart by what an operator does about it."""

from __future__ import annotations

import enum


class Trouble(enum.StrEnum):
    """The words name the findings of a self-test."""

    AWAY = "controller_away"
    CERTIFICATE = "controller_certificate"
    CREDENTIAL = "controller_credential"
    LOGIN = "controller_login"
    PERMISSION = "controller_permission"
    ANSWER = "controller_answer"
    REFUSAL = "controller_refusal"


class ControllerError(Exception):
    """The controller did not do what was asked. `detail` is for the operator: no credential is ever in it."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{trouble.value}: {detail}")
        self.trouble = trouble
        self.detail = detail
