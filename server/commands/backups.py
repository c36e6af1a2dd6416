"""``isthmus restored``."""

import argparse
import logging

from server import logs
from server.commands.shell import run, say, settings
from server.restoring import hold_back


def restored(_: argparse.Namespace) -> None:
    """Hold back what may have been sent since the backup."""
    logs.start_logging(level=logging.WARNING)
    held = run(hold_back(settings()))
    say(
        f"{held.unknown} creates may have been sent after the backup was made; they are unknown now, and wait for a "
        f"look-up or for :resolve. {held.going_on} operations go on when a server starts."
    )
