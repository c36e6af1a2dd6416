"""What commands share: the settings, one event loop, words on standard output, and failing in one sentence."""

import asyncio
import os
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from server.commands.failure import CommandFailed
from server.settings import Settings, from_environment

T = TypeVar("T")


def settings() -> Settings:
    """Read the environment. Raises `SettingsError`."""
    return from_environment(os.environ)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Do asynchronous work to its end, in a loop of its own."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def say(text: str) -> None:
    """Print for the operator, or for the program that reads this."""
    print(text, flush=True)


def content(file: Path) -> bytes:
    """Read a file that the operator named. Raises `CommandFailed`."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}") from error


@contextmanager
def spoken(*kinds: type[Exception]) -> Iterator[None]:
    """Have errors of these kinds tell the operator themselves what is wrong. Raises `CommandFailed`."""
    try:
        yield
    except kinds as error:
        raise CommandFailed(str(error)) from error
