"""``isthmus sandbox``."""

import argparse

from connectors.sandbox import server
from connectors.sandbox.state import Options
from server.commands.failure import CommandFailed
from server.commands.shell import say


def serve(parsed: argparse.Namespace) -> None:
    """Serve the sandbox CRM until interrupted."""
    try:
        server.run(
            host=parsed.host,
            port=parsed.port,
            options=Options(pace=parsed.pace, faults=parsed.faults),
            announce=lambda url: say(f"The sandbox CRM is at {url}"),
        )
    except OSError as error:
        raise CommandFailed(
            f"Cannot listen on {parsed.host}:{parsed.port}; is something else running there? "
            "Choose another with --port or --host."
        ) from error
