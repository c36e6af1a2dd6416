"""``isthmus keys``: the master keys."""

import argparse
import logging
import sys

from server import logs, rekeying
from server.commands.failure import FAILED
from server.commands.shell import run, say, settings
from server.store.vault import new_master_key


def new(_: argparse.Namespace) -> None:
    """Print a fresh one."""
    say(new_master_key())


def rotate(parsed: argparse.Namespace) -> None:
    """Wrap data keys with the first one."""
    logs.start_logging(level=logging.WARNING)
    _tell(run(rekeying.rotate(settings(), data_keys=parsed.data_keys, tell=lambda step: print(step, file=sys.stderr))))


def check(_: argparse.Namespace) -> None:
    """Say which are needed, and whether everything opens."""
    _tell(run(rekeying.check(settings())))


def _tell(findings: rekeying.Findings) -> None:
    say("\n".join(findings.lines))
    if not findings.ok:
        sys.exit(FAILED)
