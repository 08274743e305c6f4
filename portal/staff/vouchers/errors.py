"""What a desk's form can get wrong."""

from __future__ import annotations

from auth.vouchers.errors import VoucherError

# A sheet of more is made on the command line: its codes would not fit into one page.
MOST_AT_THE_DESK = 1_000


class UnreadableCount(VoucherError):
    """How many passes was not said, or more than a page can show."""


class UnreadableDay(VoucherError):
    """The last day is no day, or over."""


class ForeignPlan(VoucherError):
    """Passes of this plan would not hold at this desk."""


class UnfitChoice(VoucherError):
    """What was chosen for the print cannot be: `field` says where, `most` up to what it could."""

    def __init__(self, field: str, *, most: int = 0) -> None:
        super().__init__(field)
        self.field, self.most = field, most


class NoRoom(UnfitChoice):
    """This paper would cut off what every ticket must say: `fields` are of `portal.printing.papers.MUST`."""

    def __init__(self, fields: frozenset[str]) -> None:
        super().__init__("paper")
        self.fields = fields


class Unprinted(Exception):
    """The press could not take the job. `busy`: it can soon."""

    def __init__(self, *, busy: bool = False) -> None:
        super().__init__(busy)
        self.busy = busy
