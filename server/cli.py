"""The ``isthmus`` command: what an operator can ask from a shell. Errors are one sentence, never a traceback.

What a command does is in `server.commands`; it is named here, and imported when it is asked for: all of them together
take most of a second.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from connectors.sandbox.data import DEFAULT_PORT as SANDBOX_PORT
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.pace import Pace
from headless.embed import MAX_LIFE_SECONDS
from server.commands.failure import FAILED, CommandFailed
from server.settings import SettingsError
from server.store.contract import StoreError

T = TypeVar("T")
_URL = "where the server is; otherwise ISTHMUS_URL says so"
_API_KEY = "a full key of the project; otherwise ISTHMUS_API_KEY holds it"


_FAILURES = (CommandFailed, SettingsError, StoreError, OSError)
"""What is said in its own words; anything else is a mistake of ours."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code: 0 done, 1 failed, 2 asked wrongly."""
    parsed = _parser().parse_args(arguments)
    try:
        _function(parsed.run)(parsed)
    except _FAILURES as error:
        print(f"isthmus: {error}", file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


def _function(name: str) -> Callable[[argparse.Namespace], None]:
    module, _, function = name.partition(":")
    found: Callable[[argparse.Namespace], None] = getattr(import_module(f"server.commands.{module}"), function)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="isthmus",
        description="Customer-facing integrations, self-hosted.",
        epilog="Settings are in the environment (ISTHMUS_...); the README lists them.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_serving(commands)
    _add_setup(commands)
    _add_tokens(commands)
    _add_deploy(commands)
    _add_schema(commands)
    return parser


def _add_serving(commands: Any) -> None:
    serve = commands.add_parser("serve", help="serve the API")
    serve.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    serve.add_argument("--port", type=_port, default=8080, help="0 takes any that is free (%(default)s)")
    serve.set_defaults(run="serving:serve")
    serve.add_argument(
        "--without-worker", action="store_true", help="accept work only; `isthmus worker` does it (PostgreSQL)"
    )
    worker = commands.add_parser("worker", help="do the accepted work, without the API (PostgreSQL)")
    worker.set_defaults(run="serving:work")
    box = commands.add_parser("sandbox", help="serve the sandbox CRM")
    box.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    box.add_argument("--port", type=_port, default=SANDBOX_PORT, help="0 takes any that is free (%(default)s)")
    box.add_argument("--pace", type=_read_as(Pace), default=Pace(), metavar="JSON", help='such as {"latencyMs": 10}')
    faults = "what goes wrong, as PUT /_sandbox/faults takes it"
    box.add_argument("--faults", type=_read_as(FaultPlan), default=FaultPlan(), metavar="JSON", help=faults)
    box.set_defaults(run="sandbox:serve")
    demo = commands.add_parser("demo", help="show a first write going through, then keep serving")
    demo.add_argument("--once", action="store_true", help="end after the story")
    demo.set_defaults(run="demo:show")


def _add_setup(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the database to this version's schema")
    migrate.set_defaults(run="database:migrate")
    held = commands.add_parser("restored", help="after restoring a backup: hold back what may have been sent since")
    held.set_defaults(run="backups:restored")
    status = commands.add_parser("status", help="say what waits, since when, what holds it up, and who is alive")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run="database:status")
    init = commands.add_parser("init", help="make a project and its first API key")
    init.add_argument("--project", required=True, metavar="NAME")
    init.add_argument("--json", action="store_true", help="print one JSON object")
    init.set_defaults(run="projects:init")
    keys = commands.add_parser("keys", help="make, replace and check master keys").add_subparsers(
        required=True, metavar="COMMAND"
    )
    keys.add_parser("new", help="print a fresh master key for ISTHMUS_MASTER_KEYS").set_defaults(run="keys:new")
    rotate = keys.add_parser("rotate", help="wrap data keys with the first master key")
    rotate.add_argument("--data-keys", action="store_true", help="also make new data keys and seal everything anew")
    rotate.set_defaults(run="keys:rotate")
    keys.add_parser("check", help="say which keys are needed, and whether everything opens").set_defaults(
        run="keys:check"
    )
    api_keys = commands.add_parser("api-keys", help="make another API key").add_subparsers(
        required=True, metavar="COMMAND"
    )
    new = api_keys.add_parser("new", help="make another API key")
    new.add_argument("--project", required=True, metavar="NAME")
    new.add_argument("--label", default="made by isthmus api-keys new")
    new.add_argument("--scope", choices=("full", "frontend"), default="full")
    new.add_argument("--json", action="store_true", help="print one JSON object")
    new.set_defaults(run="projects:new_key")


def _add_tokens(commands: Any) -> None:
    tokens = commands.add_parser("tokens", help="sign a token for a browser").add_subparsers(
        required=True, metavar="COMMAND"
    )
    sign = tokens.add_parser("sign", help="print a token for one person, signed as a backend would")
    sign.add_argument("--private-key", required=True, type=Path, metavar="FILE", help="an RSA key in PEM")
    sign.add_argument("--kid", required=True, help="what registering the public half answered (POST .../jwt-keys)")
    sign.add_argument("--group", required=True, metavar="GROUP_REF")
    sign.add_argument("--consumer", required=True, metavar="CONSUMER_REF")
    sign.add_argument("--seconds", type=int, default=MAX_LIFE_SECONDS, help="how long it lives (%(default)s)")
    sign.set_defaults(run="tokens:sign")


def _add_deploy(commands: Any) -> None:
    deploy = commands.add_parser("deploy", help="deploy a manifest (amp.yaml)")
    deploy.add_argument("file", metavar="FILE", type=Path)
    deploy.add_argument("--project", required=True, metavar="NAME_OR_ID")
    deploy.add_argument("--url", default=os.environ.get("ISTHMUS_URL", "http://127.0.0.1:8080"), help=_URL)
    deploy.add_argument("--api-key", default=os.environ.get("ISTHMUS_API_KEY"), help=_API_KEY)
    deploy.set_defaults(run="manifests:deploy")


def _add_schema(commands: Any) -> None:
    schema = commands.add_parser("schema", help="compare installations with customers' accounts").add_subparsers(
        required=True, metavar="COMMAND"
    )
    check = schema.add_parser("check", help="say which installations their accounts do not fit any more; 1 if any")
    check.add_argument("--project", required=True, metavar="NAME_OR_ID")
    check.add_argument("--integration", default="", metavar="NAME_OR_ID", help="only those of one integration")
    check.add_argument("--group", default="", metavar="GROUP_REF", help="only those of one customer")
    check.add_argument("--json", action="store_true", help="print one JSON object")
    check.add_argument("--url", default=os.environ.get("ISTHMUS_URL", "http://127.0.0.1:8080"), help=_URL)
    check.add_argument("--api-key", default=os.environ.get("ISTHMUS_API_KEY"), help=_API_KEY)
    check.set_defaults(run="schemas:check")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 -- what a port is
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _read_as(kind: type[T]) -> Callable[[str], T]:
    """Make an argument's type of a struct, given as JSON."""

    def read(text: str) -> T:
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.DecodeError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read
