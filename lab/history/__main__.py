"""``python -m lab.history --database-url URL``: write a made-up past into a database that has the tables."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime, time, timedelta

from db.engine import make_engine
from lab.history.wish import Wish
from lab.history.writing import write
from lab.hotspot import now


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m lab.history", description=__doc__)
    parser.add_argument("--database-url", required=True, help="such as sqlite:////tmp/town.sqlite3")
    parser.add_argument("--sessions", type=int, default=50_000, help="how many stays (50,000)")
    parser.add_argument("--days", type=int, default=365, help="how many days until today (365)")
    parser.add_argument("--until", type=date.fromisoformat, help="the last day, in place of today")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another past")
    chosen = parser.parse_args()
    ends = datetime.combine(chosen.until + timedelta(days=1), time(), UTC) if chosen.until else now()
    wish = Wish(chosen.sessions, ends.date() - timedelta(days=chosen.days), ends, chosen.seed)
    engine = make_engine(chosen.database_url)
    written = write(engine, wish, tell=lambda sessions: print(f"\r{sessions}", end="", file=sys.stderr))
    engine.dispose()
    print(file=sys.stderr)
    for table, rows in written.rows.items():
        print(f"{table}\t{rows}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
