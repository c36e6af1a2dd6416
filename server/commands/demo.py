"""``isthmus demo``."""

import argparse
import logging

from server import logs
from server.commands.shell import run, say, settings, spoken
from server.demo.running import run_demo
from server.serving import StartFailed


def show(parsed: argparse.Namespace) -> None:
    """Tell the story, then keep serving."""
    logs.start_logging(level=logging.WARNING)
    with spoken(StartFailed):
        run(run_demo(settings(), keep_serving=not parsed.once, tell=say))
