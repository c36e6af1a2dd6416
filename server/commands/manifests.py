"""``isthmus deploy``."""

import argparse
import sys

from server.commands.failure import FAILED, CommandFailed
from server.commands.shell import content, spoken
from server.deploying import Unreachable, deploy_file


def deploy(parsed: argparse.Namespace) -> None:
    """Deploy a manifest."""
    if not parsed.api_key:
        raise CommandFailed("Give an API key with --api-key or in ISTHMUS_API_KEY.")
    text = content(parsed.file)
    with spoken(Unreachable):
        report = deploy_file(
            text, file=str(parsed.file), project=parsed.project, url=parsed.url, api_key=parsed.api_key
        )
    for line in report.lines:
        print(line, file=sys.stdout if report.ok else sys.stderr)
    if not report.ok:
        sys.exit(FAILED)
