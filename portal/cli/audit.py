"""``flask audit``: whether the audit log is whole, and anchors that leave the machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask.cli import AppGroup

from auth.audit import anchors, verification
from auth.audit.anchors import Anchor
from auth.audit.verification import ChainFault, ChainVerdict
from db.engine import reading, snapshot
from portal.audit_anchors import append
from portal.services import services

audit = AppGroup("audit", help="The audit log.")

TAMPERED, UNUSABLE = 1, 3


@audit.command("anchor")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="Add it to this file too.")
def anchor(to: Path | None) -> None:
    """Print an anchor of the audit log as it is now. Mail it, or print it and lock it away."""
    service = services()
    with reading(service.make_session) as db:
        found = anchors.present(db, portal=service.settings.portal_host, now=service.clock())
    if found is None:
        raise click.ClickException("The audit log is empty: there is nothing to anchor.")
    text = service.anchors.text(found)
    if to is not None:
        try:
            append(to, text)
        except OSError as error:
            raise click.ClickException(f"{to} cannot be written: {error.strerror}.") from error
    click.echo(text, nl=False)


@audit.command("verify")
@click.option(
    "--anchor",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A file with anchors made before; may be given several times.",
)
def verify(files: tuple[Path, ...]) -> None:
    """Recompute the audit log from its entries. Exit status 0: whole; 1: tampered with; 3: an anchor cannot be used."""
    known = [one for file in files for one in _read(file)]
    with snapshot(services().make_session) as db:
        verdict = verification.verify(db, known)
    click.echo(_in_words(verdict, with_anchors=bool(known)))
    if not verdict.is_whole:
        sys.exit(TAMPERED)


def _read(file: Path) -> list[Anchor]:
    found = services().anchors.read(file.read_text(encoding="utf-8", errors="replace"))
    if found.unfinished:
        click.echo(f"{file}: {found.unfinished} not written to the end, passed over.", err=True)
    if found.foreign or not found.anchors:
        reason = "an anchor whose seal is not ours" if found.foreign else "no anchor"
        click.echo(f"{file} holds {reason}. It shows nothing about this trail.", err=True)
        sys.exit(UNUSABLE)
    return list(found.anchors)


def _in_words(verdict: ChainVerdict, *, with_anchors: bool) -> str:
    if verdict.fault is not None:
        verdict_line = f"NOT WHOLE. First bad entry: {verdict.number}. {FAULTS[verdict.fault]}"
        if verdict.forged_purge is not None:
            verdict_line += (
                f" Entry {verdict.forged_purge} says that the audit log was purged, and is forged."
            )
        return verdict_line
    lines = [f"Whole: {verdict.entries} {'entry' if verdict.entries == 1 else 'entries'}"]
    if verdict.purged:
        lines.append(f"{verdict.purged} of them purged at the end of their term, as the audit log says")
    if verdict.unfinished:
        lines.append(
            f"{verdict.unfinished} more at the end wait for their links: unfinished, not tampered with"
        )
    if not with_anchors:
        lines.append("without an anchor, a trail whose end was cut off would look the same")
    return "; ".join(lines) + "."


FAULTS = {
    ChainFault.EDITED: "It was edited.",
    ChainFault.DELETED: "It was deleted.",
    ChainFault.INSERTED: "It was inserted.",
    ChainFault.SWAPPED: "It was swapped with another.",
    ChainFault.CUT: "From there on the tail was cut.",
    ChainFault.FORGED: "It bears no seal of this installation: whoever wrote it did not have its secret key.",
    ChainFault.EARLY: "It was purged before its term.",
    ChainFault.REWRITTEN: "From there on it may be rewritten: the chain is sound, but not the one that was there.",
}
