"""The table of commands: each is there, and imports no more than it needs."""

import argparse
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from server import commands

ROOT = Path(__file__).parents[2]
NAMED = sorted(re.findall(r'run="([\w:]+)"', (ROOT / "server/cli.py").read_text("utf-8")))
WEB = ("litestar", "uvicorn", "aiohttp")
STORE = ("piccolo", "asyncpg", "server.store.tables")


def written() -> list[str]:
    """Every function that is one command."""
    found = []
    for path in sorted(Path(commands.__file__).parent.glob("[!_]*.py")):
        for name, function in inspect.getmembers(import_module(f"server.commands.{path.stem}"), inspect.isfunction):
            takes = [*inspect.signature(function).parameters.values()]
            if function.__module__ == f"server.commands.{path.stem}" and not name.startswith("_"):
                found += [f"{path.stem}:{name}"] if [each.annotation for each in takes] == [argparse.Namespace] else []
    return found


def test_every_command_names_the_function_that_does_it_and_none_is_left_over() -> None:
    assert written() == NAMED


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("server.cli", (*WEB, *STORE, "httpx", "cryptography", "uvloop", "server.app")),
        ("server.commands.database", (*WEB, "httpx", "server.app")),
        ("server.commands.projects", (*WEB, "httpx", "server.app")),
        ("server.commands.keys", (*WEB, "httpx", "server.app")),
        ("server.commands.tokens", (*WEB, *STORE, "httpx", "server.app")),
        ("server.commands.manifests", (*WEB, *STORE, "server.app")),
        ("server.commands.schemas", (*WEB, *STORE, "server.app")),
        ("server.commands.sandbox", (*STORE, "litestar", "server.app")),
        ("server.commands.serving", ("server.demo", "connectors.sandbox.server")),
    ],
)
def test_a_command_does_not_wait_for_what_others_need(module: str, needless: tuple[str, ...]) -> None:
    said = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert set(said.stdout.split()) & set(needless) == set()
