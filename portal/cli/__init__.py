"""Command line: ``flask --app wsgi NOUN VERB`` or ``arobase NOUN VERB``. A module is imported when called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

import click
from flask import Flask, current_app


class LazyCommand(click.Command):
    """The name and help of a command whose module is imported when the command is called.

    `path` is ``module:attribute``. Where the application is a `CommandIndex` so far, the command gets the whole one.
    """

    def __init__(self, name: str, path: str, help: str) -> None:
        super().__init__(name, help=help)
        self.path = path

    def load(self) -> click.Command:
        # Whatever this process serves, a command may be about any table.
        import_module("portal.tables")
        module, _, attribute = self.path.partition(":")
        return cast(click.Command, getattr(import_module(module), attribute))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of the command itself: Click goes on with that command."""
        if parent is not None and current_app and isinstance(current_app, CommandIndex):
            parent.with_resource(current_app.make_app().app_context())
        return self.load().make_context(info_name, args, parent, **extra)


class CommandIndex(Flask):
    """An application that has commands and nothing else: enough for ``--help`` and to find the one that is called."""

    def __init__(self, make_app: Callable[[], Flask]) -> None:
        super().__init__("arobase", static_folder=None)
        self.make_app = make_app
        register(self)


def register(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)


COMMANDS = (
    LazyCommand("audit", "portal.cli.audit:audit", "The audit log."),
    LazyCommand("campaigns", "portal.cli.campaigns:campaigns", "Campaigns: the messages that guests accept."),
    # `backup` adds its verbs to the noun of `portal.cli.database`.
    LazyCommand("db", "portal.cli.backup:db", "The database."),
    LazyCommand("doctor", "portal.cli.doctor:doctor", "Look at what a site rests on."),
    LazyCommand("front", "portal.cli.front:front", "nginx before the portal: docs/real-site.md."),
    LazyCommand("gateways", "portal.cli.gateways:gateways", "Gateway records."),
    LazyCommand("networks", "portal.cli.networks:networks", "The look of a network."),
    LazyCommand(
        "patrons", "portal.cli.patrons:patrons", "Patrons: their cards, or the directory that has them."
    ),
    LazyCommand("report", "portal.cli.report:report", "What the network was used for."),
    LazyCommand(
        "requisitions",
        "portal.cli.legal_requests:requisitions",
        "Requisitions: who asked, by which right, and what was answered.",
    ),
    LazyCommand("retention", "portal.cli.retention:retention", "How long what is remembered is kept."),
    LazyCommand(
        "secure-network",
        "portal.cli.secure_network:secure_network",
        "The encrypted network beside the open one.",
    ),
    LazyCommand("sessions", "portal.cli.sessions:sessions", "Access sessions and refusals."),
    LazyCommand("sites", "portal.cli.sites:sites", "Networks, hotspot sites, gateway records."),
    LazyCommand("staff", "portal.cli.staff:staff", "Accounts of staff."),
    LazyCommand(
        "sweep",
        "portal.cli.sweep:sweep",
        "Close what is over, end who is gone, forget what is stale, make the figures of days that are final.",
    ),
    LazyCommand(
        "tokens", "portal.cli.tokens:tokens", "Tokens of programs that ask for passes (docs/api.md)."
    ),
    LazyCommand("vouchers", "portal.cli.vouchers:group", "Day passes."),
)
