"""Denials about experiments: each reason with its texts."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from auth.denials import N_, Case, Denial, declare


@dataclass(eq=False)
class UnreadableExperiment(Denial):
    """What was given for `field` is missing or cannot be read."""

    reason = declare(
        "unreadable_experiment",
        HTTPStatus.BAD_REQUEST,
        N_("Something is missing or cannot be read."),
        Case(
            "field",
            {
                "name": N_("Give the experiment a name."),
                "aim": N_("Say what it is to find out."),
                "first": N_("Give the first day."),
                "last": N_("Give a last day: after the first one, three years later at most."),
                "indicators": N_("Give a threshold to one indicator at least."),
                "reason": N_("Say why the threshold is changed."),
                "threshold": N_("Give another threshold than the one that holds."),
                "held_on": N_("Give the day of the review: not before the experiment, not after today."),
                "note": N_("Write down what was said."),
            },
            otherwise=N_("Give the threshold as a number, such as 99.5."),
        ),
    )
    field: str


class RunningExperiment(Denial):
    """It has begun: what was agreed stays."""

    reason = declare(
        "running_experiment",
        HTTPStatus.CONFLICT,
        N_("This experiment has begun."),
        N_("What was agreed stays as it is. A threshold can be amended, with a reason that everybody reads."),
    )
