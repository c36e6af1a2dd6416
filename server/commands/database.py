"""``isthmus migrate`` and ``isthmus status``."""

import argparse

import msgspec

from server import backlog
from server.commands.shell import run, say, settings
from server.store.opening import migrate_database


def migrate(_: argparse.Namespace) -> None:
    """Bring the database to this version's schema."""
    steps = run(migrate_database(settings().database_url))
    say("\n".join(f"ran {step}" for step in steps) or "The database is up to date.")


def status(parsed: argparse.Namespace) -> None:
    """Say what waits."""
    stock = run(backlog.take_stock(settings()))
    say(msgspec.json.encode(stock).decode() if parsed.json else backlog.told(stock))
