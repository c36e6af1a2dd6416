"""The ``isthmus`` command: what an operator can do from a shell. Errors are one sentence, never a traceback."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop

from connectors.sandbox import server as sandbox
from connectors.sandbox.faults import FaultPlan
from connectors.sandbox.pace import Pace
from connectors.sandbox.state import Options
from server import logs, rekeying, schema_report, serving
from server.access.signing import BadSigner, sign_token
from server.access.tokens import MAX_LIFE_SECONDS
from server.backlog import take_stock, told
from server.clock import utc_now
from server.demo.running import run_demo
from server.deploying import Unreachable, deploy_file
from server.engine.opening import is_distributed
from server.restoring import hold_back
from server.settings import Settings, SettingsError, from_environment
from server.setup import BadName, NewProject, create_key, create_project
from server.store.contract import StoreError
from server.store.opening import migrate_database
from server.store.vault import new_master_key

T = TypeVar("T")
_FAILED = 1
_URL = "where the server is; otherwise ISTHMUS_URL says so"
_API_KEY = "a full key of the project; otherwise ISTHMUS_API_KEY holds it"


class CommandFailed(Exception):
    """What was asked cannot be done; the message is the whole explanation."""


_FAILURES = (
    *(CommandFailed, SettingsError, StoreError, OSError),
    *(BadName, BadSigner, Unreachable, serving.StartFailed),
)
"""What is said in its own words; anything else is a mistake of ours."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code: 0 done, 1 failed, 2 asked wrongly."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except _FAILURES as error:
        print(f"isthmus: {error}", file=sys.stderr)
        sys.exit(_FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


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
    serve.set_defaults(run=_serve)
    serve.add_argument(
        "--without-worker", action="store_true", help="accept work only; `isthmus worker` does it (PostgreSQL)"
    )
    worker = commands.add_parser("worker", help="do the accepted work, without the API (PostgreSQL)")
    worker.set_defaults(run=_work)
    box = commands.add_parser("sandbox", help="serve the sandbox CRM")
    box.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    box.add_argument("--port", type=_port, default=sandbox.DEFAULT_PORT, help="0 takes any that is free (%(default)s)")
    box.add_argument("--pace", type=_read_as(Pace), default=Pace(), metavar="JSON", help='such as {"latencyMs": 10}')
    faults = "what goes wrong, as PUT /_sandbox/faults takes it"
    box.add_argument("--faults", type=_read_as(FaultPlan), default=FaultPlan(), metavar="JSON", help=faults)
    box.set_defaults(run=_sandbox)
    demo = commands.add_parser("demo", help="show a first write going through, then keep serving")
    demo.add_argument("--once", action="store_true", help="end after the story")
    demo.set_defaults(run=_demo)


def _add_setup(commands: Any) -> None:
    migrate = commands.add_parser("migrate", help="bring the database to this version's schema")
    migrate.set_defaults(run=_migrate)
    held = commands.add_parser("restored", help="after restoring a backup: hold back what may have been sent since")
    held.set_defaults(run=_restored)
    status = commands.add_parser("status", help="say what waits, since when, what holds it up, and who is alive")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run=_status)
    init = commands.add_parser("init", help="make a project and its first API key")
    init.add_argument("--project", required=True, metavar="NAME")
    init.add_argument("--json", action="store_true", help="print one JSON object")
    init.set_defaults(run=_init)
    keys = commands.add_parser("keys", help="make, replace and check master keys").add_subparsers(
        required=True, metavar="COMMAND"
    )
    keys.add_parser("new", help="print a fresh master key for ISTHMUS_MASTER_KEYS").set_defaults(run=_new_master_key)
    rotate = keys.add_parser("rotate", help="wrap data keys with the first master key")
    rotate.add_argument("--data-keys", action="store_true", help="also make new data keys and seal everything anew")
    rotate.set_defaults(run=_rotate)
    keys.add_parser("check", help="say which keys are needed, and whether everything opens").set_defaults(run=_check)
    api_keys = commands.add_parser("api-keys", help="make another API key").add_subparsers(
        required=True, metavar="COMMAND"
    )
    new = api_keys.add_parser("new", help="make another API key")
    new.add_argument("--project", required=True, metavar="NAME")
    new.add_argument("--label", default="made by isthmus api-keys new")
    new.add_argument("--scope", choices=("full", "frontend"), default="full")
    new.add_argument("--json", action="store_true", help="print one JSON object")
    new.set_defaults(run=_new_key)


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
    sign.set_defaults(run=_sign)


def _add_deploy(commands: Any) -> None:
    deploy = commands.add_parser("deploy", help="deploy a manifest (amp.yaml)")
    deploy.add_argument("file", metavar="FILE", type=Path)
    deploy.add_argument("--project", required=True, metavar="NAME_OR_ID")
    deploy.add_argument("--url", default=os.environ.get("ISTHMUS_URL", "http://127.0.0.1:8080"), help=_URL)
    deploy.add_argument("--api-key", default=os.environ.get("ISTHMUS_API_KEY"), help=_API_KEY)
    deploy.set_defaults(run=_deploy)


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
    check.set_defaults(run=_check_schemas)


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


def _settings() -> Settings:
    return from_environment(os.environ)


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _serve(parsed: argparse.Namespace) -> None:
    logs.start_logging()
    settings = _settings()
    if parsed.without_worker and not is_distributed(settings):
        raise CommandFailed("On SQLite there is one process, which does the worker's part: leave --without-worker out.")
    if parsed.port and not os.environ.get("ISTHMUS_PUBLIC_URL"):
        # Links have to lead somewhere before anybody has set an address.
        settings = msgspec.structs.replace(settings, public_url=f"http://127.0.0.1:{parsed.port}")
    _run(
        serving.serve(
            settings,
            host=parsed.host,
            port=parsed.port,
            announce=lambda origin: _say(f"Isthmus is at {origin}"),
            works=not parsed.without_worker,
        )
    )


def _work(_: argparse.Namespace) -> None:
    settings = _settings()
    if not is_distributed(settings):
        raise CommandFailed(
            "On SQLite there is one process: `isthmus serve` does the worker's part already. For workers of their own, "
            "put the data on PostgreSQL (ISTHMUS_DATABASE_URL=postgresql://...)."
        )
    logs.start_logging()
    _run(serving.work(settings))


def _sandbox(parsed: argparse.Namespace) -> None:
    try:
        sandbox.run(
            host=parsed.host,
            port=parsed.port,
            options=Options(pace=parsed.pace, faults=parsed.faults),
            announce=lambda url: _say(f"The sandbox CRM is at {url}"),
        )
    except OSError as error:
        raise CommandFailed(
            f"Cannot listen on {parsed.host}:{parsed.port}; is something else running there? "
            "Choose another with --port or --host."
        ) from error


def _demo(parsed: argparse.Namespace) -> None:
    logs.start_logging(level=logging.WARNING)
    _run(run_demo(_settings(), keep_serving=not parsed.once, tell=_say))


def _migrate(_: argparse.Namespace) -> None:
    steps = _run(migrate_database(_settings().database_url))
    _say("\n".join(f"ran {step}" for step in steps) or "The database is up to date.")


def _restored(_: argparse.Namespace) -> None:
    logs.start_logging()
    held = _run(hold_back(_settings()))
    _say(
        f"{held.unknown} creates may have been sent after the backup was made; they are unknown now, and wait for a "
        f"look-up or for :resolve. {held.going_on} operations go on when a server starts."
    )


def _status(parsed: argparse.Namespace) -> None:
    backlog = _run(take_stock(_settings()))
    _say(msgspec.json.encode(backlog).decode() if parsed.json else told(backlog))


def _init(parsed: argparse.Namespace) -> None:
    _show(_run(create_project(_settings(), name=parsed.project)), as_json=parsed.json)


def _new_master_key(_: argparse.Namespace) -> None:
    _say(new_master_key())


def _rotate(parsed: argparse.Namespace) -> None:
    logs.start_logging()
    _tell(
        _run(rekeying.rotate(_settings(), data_keys=parsed.data_keys, tell=lambda step: print(step, file=sys.stderr)))
    )


def _check(_: argparse.Namespace) -> None:
    _tell(_run(rekeying.check(_settings())))


def _tell(findings: rekeying.Findings) -> None:
    _say("\n".join(findings.lines))
    if not findings.ok:
        sys.exit(_FAILED)


def _new_key(parsed: argparse.Namespace) -> None:
    made = create_key(_settings(), project=parsed.project, label=parsed.label, scope=parsed.scope)
    _show(_run(made), as_json=parsed.json)


def _show(made: NewProject, *, as_json: bool) -> None:
    if as_json:
        _say(msgspec.json.encode(made).decode())
        return
    _say(f"project  {made.project_name}  ({made.project_id})\nAPI key  {made.api_key}  (shown this once)")


def _sign(parsed: argparse.Namespace) -> None:
    _say(
        sign_token(
            _content(parsed.private_key),
            kid=parsed.kid,
            group_ref=parsed.group,
            consumer_ref=parsed.consumer,
            now=int(utc_now().timestamp()),
            seconds=parsed.seconds,
        )
    )


def _deploy(parsed: argparse.Namespace) -> None:
    if not parsed.api_key:
        raise CommandFailed("Give an API key with --api-key or in ISTHMUS_API_KEY.")
    text = _content(parsed.file)
    report = deploy_file(text, file=str(parsed.file), project=parsed.project, url=parsed.url, api_key=parsed.api_key)
    for line in report.lines:
        print(line, file=sys.stdout if report.ok else sys.stderr)
    if not report.ok:
        sys.exit(_FAILED)


def _check_schemas(parsed: argparse.Namespace) -> None:
    if not parsed.api_key:
        raise CommandFailed("Give an API key with --api-key or in ISTHMUS_API_KEY.")
    wanted = schema_report.Wanted(
        url=parsed.url,
        api_key=parsed.api_key,
        project=parsed.project,
        integration=parsed.integration,
        group=parsed.group,
    )
    report, seen = schema_report.check_schemas(wanted)
    _say(msgspec.json.encode(report).decode() if parsed.json else schema_report.told(report, seen))
    if not report.ok:
        sys.exit(_FAILED)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error


def _say(text: str) -> None:
    print(text, flush=True)
