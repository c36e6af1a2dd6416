"""``isthmus serve`` and ``isthmus worker``."""

import argparse
import os

import msgspec

from server import logs, serving
from server.commands.failure import CommandFailed
from server.commands.shell import run, say, settings, spoken
from server.engine.opening import is_distributed


def serve(parsed: argparse.Namespace) -> None:
    """Serve the API until told to stop."""
    logs.start_logging()
    given = settings()
    if parsed.without_worker and not is_distributed(given):
        raise CommandFailed("On SQLite there is one process, which does the worker's part: leave --without-worker out.")
    if parsed.port and not os.environ.get("ISTHMUS_PUBLIC_URL"):
        # Links have to lead somewhere before anybody has set an address.
        given = msgspec.structs.replace(given, public_url=f"http://127.0.0.1:{parsed.port}")
    with spoken(serving.StartFailed):
        run(
            serving.serve(
                given,
                host=parsed.host,
                port=parsed.port,
                announce=lambda origin: say(f"Isthmus is at {origin}"),
                works=not parsed.without_worker,
            )
        )


def work(_: argparse.Namespace) -> None:
    """Do the accepted work until told to stop."""
    given = settings()
    if not is_distributed(given):
        raise CommandFailed(
            "On SQLite there is one process: `isthmus serve` does the worker's part already. For workers of their own, "
            "put the data on PostgreSQL (ISTHMUS_DATABASE_URL=postgresql://...)."
        )
    logs.start_logging()
    run(serving.work(given))
