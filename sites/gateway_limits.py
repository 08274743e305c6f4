"""What a gateway's record asks for and its kind cannot do, in a sentence for whoever sets it up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from gateways.kinds import Kind
from gateways.sentences import Sentence
from sites.models import SigninMethod


def limits(
    kind: Kind, options: Mapping[str, str], *, methods: Collection[str], ports_per_client: int
) -> Iterator[tuple[str, Sentence]]:
    """The columns of a record that ask too much of its kind, each with why and what to do instead.

    `options` are checked; `methods` are the sign-in methods of the network.
    """
    if fault := guessing_fault(kind, options, methods):
        yield "network", fault
    if ports_per_client and not kind.capabilities.assigns_ports:
        yield (
            "ports_per_client",
            Sentence(
                "%(product)s gives no client source ports of its own, and the log would say what is not so: leave "
                "ports_per_client at 0",
                product=kind.product,
            ),
        )


def guessing_fault(kind: Kind, options: Mapping[str, str], methods: Collection[str]) -> Sentence | None:
    """Why nobody may sign in by these methods at such a gateway; None where all of them are safe there."""
    # A managed device signs in nowhere: what is told of a client opens nothing for it.
    harmless = (SigninMethod.FREE, SigninMethod.MANAGED)
    named = [method for method in SigninMethod if method in methods and method not in harmless]
    if not named or not kind.is_for_free_access_alone(options):
        return None
    values = [f"{name} {value}" for name, value in kind.guessed_where if kind.option(options, name) == value]
    where = Sentence("%(product)s with %(values)s", product=kind.product, values=", ".join(values))
    if values and not kind.capabilities.landings_can_be_guessed:
        instead = Sentence("choose another value there, another kind of gateway, or a network of free access")
    else:
        instead = Sentence("choose another kind of gateway, or a network of free access")
    return Sentence(
        "what %(where)s tells of a client can be guessed, so that it may serve free access alone, and "
        "the network has %(methods)s: %(instead)s",
        where=where if values else kind.product,
        methods=", ".join(named),
        instead=instead,
    )
