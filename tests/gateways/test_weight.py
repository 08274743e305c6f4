"""What the agent does not carry with it."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from gateways.nftables.footprint import uncollected


def test_the_agent_loads_no_library_beside_pythons_own() -> None:
    asked = "import sys, gateways.nftables.agent; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    ours = {name for name in loaded.split() if not name.startswith("_")} - sys.stdlib_module_names
    assert ours == {"gateways"}


def test_garbage_is_looked_for_again_whatever_happened_meanwhile() -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        assert not gc.isenabled()
        raise ZeroDivisionError
    assert gc.isenabled()
