"""Makes the kernel fit what is wanted, and keeps it so. Blocking; for one thread at a time.

Nothing here is in a hurry to be clever: when a transaction fails, the kernel is read again, the difference is
taken anew, and halved until the one bad change stands alone.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from gateways.nftables import kernel, newcomers
from gateways.nftables.accounting import Alert
from gateways.nftables.batches import Batches
from gateways.nftables.configuration import Configuration
from gateways.nftables.elements import ActualState, Changes, DesiredClient, Lessee, nobody, note, plan
from gateways.nftables.notices import Notices
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.ruleset import create, drop_classes, reload
from gateways.nftables.statements import Statement
from gateways.nftables.static_neighbours import StaticNeighbours
from gateways.nftables.table_layout import NO_GRANT, layout
from gateways.nftables.transactions import class_script, script, statements
from gateways.types import Grant, IpAddress, MacAddress

# Rates come back: the plan of the afternoon is that of the morning.
SPARE_CLASSES = 4
# So many that being told of each would take as long as adding it.
MANY_ELEMENTS = 1000
# So many new clients are a transaction: the kernel works on them while the next are made ready.
AT_ONCE = 2500
# Lease, card, address, and the address with its card.
SETS_OF_A_CLIENT = 4
log = logging.getLogger(__name__)


class OffloadedClients(Exception):
    """A flowtable carries the clients' packets past every rule: no deadline would be kept."""


KERNEL_FAULTS = (kernel.UnknownState, kernel.KernelRefused, OffloadedClients)


def boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Enforcement:
    """Our table, and what we know to be in it."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._generations = kernel.Generations()
        self._batches = Batches()
        self._generation = -1
        self.notices = Notices()
        self._meddled, self._meddling = 0, Alert(seen=0)
        self._neighbours = StaticNeighbours(configuration.client_interface)
        # Our neighbour entries may not be what they should: they are compared at the next check.
        self.neighbours_lost = True
        self.held = ActualState()
        self.epoch = ""

    def close(self) -> None:
        """Let go of the kernel. The rules stay."""
        self.notices.close()
        self._generations.close()
        self._batches.close()
        self._neighbours.close()

    def load(self) -> None:
        """Put our rules in place, closed to strangers from the first packet, and only then let the machine
        route.

        A table of this shape keeps its elements, timeouts and counters; any other is made anew. Raises
        `OffloadedClients`, `kernel.UnknownState` and `kernel.KernelRefused`; then nothing was opened.
        """
        if kernel.offloaded(self._configuration.client_interface):
            raise OffloadedClients(self._configuration.client_interface)
        self.neighbours_lost = True
        table = kernel.read_table()
        is_whole = False
        if table is not None and table.epoch and table.layout == layout():
            self.epoch = table.epoch
            self._run(reload(self._configuration, table.classes), fresh=True)
            self._read()
            is_whole = not self.held.torn
        if not is_whole:
            # Of another shape, or none: the leases come back from the journal, with the time they have left.
            self._create()
        kernel.open_forwarding()

    def _create(self) -> None:
        self.epoch = secrets.token_hex(8)
        self._run(create(self._configuration, (), epoch=self.epoch), fresh=True)
        self.held = ActualState()

    def make_fit(
        self,
        wanted: Mapping[int, DesiredClient],
        numbers: Collection[int],
        lessee: Lessee = nobody,
        moved: Collection[IpAddress] = (),
    ) -> dict[int, str]:
        """Change the kernel until it fits `wanted` for these numbers, and `lessee` for the addresses in `moved`. Gives
        the refused numbers, with the reason.

        Raises `kernel.UnknownState` when a transaction failed and the kernel cannot be read either.
        """
        try:
            self._carry_out(wanted, numbers, lessee, moved)
        except kernel.KernelRefused as error:
            log.warning("the kernel refused a transaction of %d clients: %s", len(numbers), error)
            self._read()
            self._carry_out({}, (), lessee, moved)
            return self._isolate(wanted, sorted(numbers), lessee)
        return {}

    def admit(
        self,
        grants: Iterable[Grant],
        end: Callable[[Grant], float],
        addresses: Callable[[MacAddress], Sequence[IpAddress]],
    ) -> set[int]:
        """Let those of these pass who are new to the kernel, until their `end` with the `addresses` of their cards.

        Gives their numbers. They come in pieces of a transaction each, up to the first that the kernel refuses:
        `make_fit` finds out for whom it does.
        """
        new, now = newcomers.newcomers(grants, self.held), boot_time()
        pieces = [new[start : start + AT_ONCE] for start in range(0, len(new), AT_ONCE)]
        made, taken = list[Changes](), list[Changes]()

        def transaction(piece: Sequence[Grant]) -> list[Statement]:
            made.append(newcomers.admit(piece, self.held, now=now, end=end, addresses=addresses))
            return statements(made[-1], now=now) or []

        def carry_out() -> None:
            try:
                for _ in self._batches.run_in_turn([partial(transaction, piece) for piece in pieces]):
                    taken.append(made[len(taken)])
            except kernel.KernelRefused as error:
                log.warning("the kernel refused a transaction of new clients: %s", error)

        try:
            self._add_classes(newcomers.classes(new) - self.held.classes)
            with self._hearing(SETS_OF_A_CLIENT * len(new)):
                self._watched(carry_out, done=taken)
        except kernel.KernelRefused as error:
            log.warning("the kernel refused the rates of new clients: %s", error)
        finally:
            # What the kernel took it holds, whatever came of the others.
            for changes in taken:
                self._note(changes)
        return {number for changes in taken for number, _, _ in changes.leased}

    def check(self, wanted: Mapping[int, DesiredClient], lessee: Lessee = nobody) -> bool:
        """Repair what somebody else changed; cheap while nobody changed ours. True when the table was made anew."""
        self._keep_neighbours()
        if self._is_known(self._generations.latest()):
            return False
        leased = self.without_grant()
        table = kernel.read_table()
        if table is None:
            # Forwarding is on and nothing stands before it: closed first, and then everything else.
            self._create()
        is_ours = table is not None and table.epoch == self.epoch and table.layout == layout()
        self._meddled += 1
        if self._meddling.grew(self._meddled, boot_time()):
            # Once for each burst: a program that changes it every second is corrected every second, and logged once.
            what = "another program changed our nftables table: restoring it"
            log.error(
                "%s", what if is_ours else "our nftables table was removed or replaced: loading it again"
            )
        self.load()
        self.make_fit(wanted, wanted.keys() | self.everybody(), lessee, leased | self.without_grant())
        return not is_ours

    def _is_known(self, generation: int) -> bool:
        """Whether we know our table as of `generation`: what others did since to theirs alone changes nothing here."""
        if generation != self._generation and self.notices.spared(self._generation, generation):
            self._generation = generation
        return generation == self._generation

    def tidy(self) -> None:
        """Take out the rate classes that nobody has any more: each costs every packet a look. A few may stay.

        Raises `kernel.KernelRefused`; then nothing was done.
        """
        used = {lease.rates for lease in self.held.leases.values()}
        unused = self.held.classes - used
        if len(unused) > SPARE_CLASSES:
            self._run(drop_classes(self._configuration, used, unused))
            self.held.classes = used

    def everybody(self) -> set[int]:
        """All numbers that the kernel knows."""
        return {number for known in self.held.by_number() for number in known} - {NO_GRANT}

    def without_grant(self) -> set[IpAddress]:
        """The addresses that the kernel keeps for cards by the DHCP server's word alone."""
        return {address for _, address in self.held.pairs_of.get(NO_GRANT, ())}

    def _read(self) -> None:
        table = kernel.read_table()
        if table is None:
            raise kernel.UnknownState("our table is gone")
        self.held = kernel.read_held(table, now=boot_time())

    def _carry_out(
        self,
        wanted: Mapping[int, DesiredClient],
        numbers: Collection[int],
        lessee: Lessee,
        moved: Collection[IpAddress] = (),
        *,
        by_nft: bool = False,
    ) -> None:
        now = boot_time()
        changes = plan(wanted, self.held, numbers, now=now, lessee=lessee, moved=moved)
        self._apply(changes, now=now, by_nft=by_nft)

    def _apply(self, changes: Changes, *, now: float, by_nft: bool = False) -> None:
        if not changes:
            return
        listed = None if by_nft else statements(changes, now=now)
        if listed is None:
            self._run(script(changes, now=now))
        else:
            self._add_classes(changes.classes)
            with self._hearing(sum(map(len, listed))):
                self._watched(lambda: self._batches.run(listed))
        self._note(changes)

    def _note(self, changes: Changes) -> None:
        """The kernel has taken these."""
        note(changes, self.held)
        try:
            bound = {address: mac for mac, address in changes.bound}
            self._neighbours.change(bound, changes.released)
        except OSError as error:
            log.debug("neighbours could not be bound: %s", error)
            self.neighbours_lost = True

    def _keep_neighbours(self) -> None:
        """Bind the held addresses to their cards again where the kernel has dropped that, as when lan0 went down."""
        if not self.neighbours_lost:
            return
        self.neighbours_lost = False
        try:
            self._neighbours.fit(self.held.holders)
        except OSError as error:
            log.debug("neighbours could not be bound: %s", error)
            self.neighbours_lost = True

    def _run(self, transaction: str, *, fresh: bool = False) -> None:
        self._watched(lambda: kernel.run(transaction), fresh=fresh)

    def _add_classes(self, classes: Collection[RateClass]) -> None:
        """A class that nobody has lets nobody pass: it may come first."""
        if classes:
            self._run(class_script(sorted(classes)))
            self.held.classes.update(classes)

    def _hearing(self, elements: int) -> AbstractContextManager[None]:
        """What to hear of the kernel while so many elements are changed."""
        return self.notices.muted() if elements >= MANY_ELEMENTS else nullcontext()

    def _watched(
        self, transaction: Callable[[], None], *, done: Sized = (None,), fresh: bool = False
    ) -> None:
        """Carry out a transaction, or as many as are `done` then, and stay aware of what others do.

        Each of ours is one generation further. Anything else means that somebody was here before us, or in between:
        then the generation we know stays behind, and the next `check` looks. `fresh` is for a transaction after which
        all is read anew.
        """
        before = self._generations.latest()
        is_known = self._is_known(before)
        transaction()
        after = self._generations.latest()
        if after == before + len(done) and (fresh or is_known):
            self._generation = after

    def _isolate(
        self, wanted: Mapping[int, DesiredClient], numbers: list[int], lessee: Lessee
    ) -> dict[int, str]:
        """Give the refused numbers, with the reason as nft tells it."""
        try:
            self._carry_out(wanted, numbers, lessee, by_nft=True)
        except kernel.KernelRefused as error:
            if len(numbers) == 1:
                return {numbers[0]: str(error)}
            half = len(numbers) // 2
            first = self._isolate(wanted, numbers[:half], lessee)
            return first | self._isolate(wanted, numbers[half:], lessee)
        return {}
