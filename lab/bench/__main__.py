"""``python -m lab.bench``: see `lab.bench.runs`."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    # Here, since each process that the bench spawns imports this module first, and needs next to nothing of it.
    from lab.bench.runs import main

    sys.exit(main())
