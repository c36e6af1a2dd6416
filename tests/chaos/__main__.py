"""Runs what the command line asks for, prints one table, and fails when a promise is broken."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.chaos.options import Run, asked, parser
from tests.chaos.telling import Report, told


def main() -> None:
    """Run everything; 1 if a promise was broken, 130 if interrupted."""
    given = parser().parse_args()
    # Whoever is ended takes its processes along, as on Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="isthmus-chaos-") as folder:
        try:
            reports = asyncio.run(_all(asked(given, Path(folder))))
        except KeyboardInterrupt:
            sys.exit(130)
    print(told(reports))
    sys.exit(not all(report.good for report in reports))


async def _all(runs: Iterable[Run]) -> list[Report]:
    reports = []
    for run in runs:
        report = await run()
        verdict = report.skipped or f"{len(report.broken)} promises broken"
        # Told at once: whatever ends the next run takes nothing of this one along.
        print(f"{told([report])}\n{report.name}: {verdict}\n", file=sys.stderr, flush=True)
        reports.append(report)
    return reports


if __name__ == "__main__":
    main()
