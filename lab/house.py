"""``python -m lab.house``: what a newcomer meets in the sources, in figures.

Sizes, imports and names are counted in the rooms that run in a town: no tests, no migrations, no lab. An imported
module is one distinct module named by a file's imports, wherever in the file they stand; ``from a import b`` counts as
``a.b`` where that is a module of ours, else as ``a``.
"""

from __future__ import annotations

import argparse
import ast
import collections
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOMS = ("portal", "ads", "sessions", "auth", "sites", "gateways", "db", "config")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())


def sources(top: Path) -> list[Source]:
    paths = [path for room in ROOMS for path in (top / room).rglob("*.py")]
    paths += [path for name in ("wsgi.py", "asgi.py", "config.py") if (path := top / name).exists()]
    texts = {path.relative_to(top): path.read_text(encoding="utf-8") for path in sorted(paths)}
    return [Source(path, text, ast.parse(text)) for path, text in texts.items()]


def modules_of(source: Source, ours: set[str]) -> set[str]:
    """What this file imports, for the checker alone included."""
    found = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & ours
            if names - ours:
                found.add(node.module)
    return found - {"__future__"}


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def functions(source: Source) -> Iterator[Function]:
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def quantile(values: Sequence[int], share: float) -> int:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Iterable[int]) -> str:
    found = list(values)
    return f"{quantile(found, 0.5)} / {quantile(found, 0.9)} / {max(found)}"


def recurring_classes(read: Iterable[Source]) -> dict[str, list[Path]]:
    """Names of classes that several modules define, private ones left out."""
    homes = collections.defaultdict(list)
    for source in read:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(source.path)
    return {name: paths for name, paths in sorted(homes.items()) if len(paths) > 1}


def files_with(read: Iterable[Source], pattern: str) -> list[Path]:
    return [source.path for source in read if re.search(pattern, source.text)]


def kinds_told_apart(read: Iterable[Source]) -> list[Path]:
    """Files outside a kind's own folder and endpoint that name it in code: what a further kind would have to touch."""
    named = files_with(read, r"GatewayKind\.[A-Z]+|[!=]= *(?:FAKE|NFTABLES)\b")
    return [path for path in named if path.parts[:2] not in {("gateways", "fake"), ("gateways", "nftables")}]


def audit_writers(read: Iterable[Source]) -> list[Path]:
    """Pages and commands that write audit entries themselves, where the service should."""
    written = files_with(read, r"\blog\.(?:record|enter|write)\(|\btrail\.record\(|\brecord\(db,")
    return [path for path in written if path.parts[0] == "portal"]


def tell(top: Path, *, details: bool) -> Iterator[str]:
    read = sources(top)
    ours = {module_name(source.path) for source in read}
    imported = {source.path: modules_of(source, ours) for source in read}
    recurring = recurring_classes(read)
    yield f"files, lines                               {len(read)}, {sum(source.lines for source in read)}"
    yield f"lines of a file, p50 / p90 / max           {spread(source.lines for source in read)}"
    lengths = [length(one) for source in read for one in functions(source)]
    yield f"lines of a function, p50 / p90 / max       {spread(lengths)}"
    yield f"modules a file imports, p50 / p90 / max    {spread(len(names) for names in imported.values())}"
    inner = [len(names & ours) for names in imported.values()]
    yield f"  of these ours, p50 / p90 / max           {spread(inner)}"
    yield f"classes whose name recurs                  {len(recurring)}: {', '.join(recurring)}"
    mixed = kinds_told_apart(read)
    yield f"files that tell gateway kinds apart        {len(mixed)}"
    writers = audit_writers(read)
    yield f"pages and commands that write audit log     {len(writers)}"
    if details:
        yield from (f"  kind: {path}" for path in mixed)
        yield from (f"  audit: {path}" for path in writers)
        most = sorted(imported.items(), key=lambda item: -len(item[1]))[:15]
        yield from (f"  imports {len(names)}: {path}" for path, names in most)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.house", description=__doc__)
    parser.add_argument(
        "top", nargs="?", type=Path, default=Path(__file__).parent.parent, help="another tree"
    )
    parser.add_argument("--details", action="store_true", help="name the files")
    chosen = parser.parse_args()
    print("\n".join(tell(chosen.top, details=chosen.details)))


if __name__ == "__main__":
    main()
