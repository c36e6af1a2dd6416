"""``isthmus schema``."""

import argparse
import sys

import msgspec

from server import schema_report
from server.commands.failure import FAILED, CommandFailed
from server.commands.shell import say, spoken
from server.deploying import Unreachable


def check(parsed: argparse.Namespace) -> None:
    """Say which installations their accounts do not fit any more."""
    if not parsed.api_key:
        raise CommandFailed("Give an API key with --api-key or in ISTHMUS_API_KEY.")
    wanted = schema_report.Wanted(
        url=parsed.url,
        api_key=parsed.api_key,
        project=parsed.project,
        integration=parsed.integration,
        group=parsed.group,
    )
    with spoken(Unreachable):
        report, seen = schema_report.check_schemas(wanted)
    say(msgspec.json.encode(report).decode() if parsed.json else schema_report.told(report, seen))
    if not report.ok:
        sys.exit(FAILED)
