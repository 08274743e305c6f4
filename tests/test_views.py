"""The portal asks queries of the nouns below it, and no route module is another one's library."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = ["portal/guest", "portal/staff", "portal/api"]
METHODS = {"get", "post", "route"}
STATEMENTS = {"select", "update", "delete", "insert", "exists", "func"}


def sources(*rooms: str) -> dict[str, ast.Module]:
    """Every module of these rooms by its dotted name, without the packages, which register the routes."""
    found = {}
    for room in rooms:
        for path in (ROOT / room).rglob("*.py"):
            if path.name != "__init__.py":
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(module: ast.Module) -> set[str]:
    """The dotted names that it imports, and for ``from a import b`` both ``a`` and ``a.b``."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{each.name}" for each in node.names}
    return found


def has_routes(module: ast.Module) -> bool:
    """Whether a function is decorated like ``@guests.get("/")``."""
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in METHODS
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    )


def test_no_route_module_imports_another() -> None:
    modules = sources(*PAGES)
    routes = {name for name, module in modules.items() if has_routes(module)}
    assert len(routes) > 20
    assert {name: imports(modules[name]) & routes for name in routes if imports(modules[name]) & routes} == {}


def test_the_portal_builds_no_statements() -> None:
    built = {f"sqlalchemy.{name}" for name in STATEMENTS}
    assert {name for name, module in sources("portal").items() if imports(module) & built} == set()
