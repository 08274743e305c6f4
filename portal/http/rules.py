"""Rules that cost what is asked of them: the code that writes a page's address is compiled for the first one."""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.routing import Rule


class LateRule(Rule):
    """Werkzeug's rule, which compiles two functions as it is bound. For all pages that was a tenth of the start, and a
    process writes the addresses of few, in one of the two ways."""

    is_prepared = False

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(rule: LateRule, /, **values: object) -> tuple[str, str]:
            return rule._compiled(append_unknown)(**values)

        return build

    def _compiled(self, append_unknown: bool) -> Callable[..., tuple[str, str]]:
        """What Werkzeug makes, which takes the place of what stood there until now. Two threads make the same twice."""
        built: Callable[..., tuple[str, str]] = super()._compile_builder(append_unknown).__get__(self, None)
        if append_unknown:
            self._build_unknown, self.is_prepared = built, True
        else:
            self._build = built
        return built

    def prepare(self) -> None:
        """Compile what `url_for` asks."""
        self._compiled(append_unknown=True)
