"""A look at everything that came out of the server: the session fails where a secret is seen in the clear.

Looked for are the secrets that tests put in (`canaries`), as they are and inside base64, and whatever has the form of
an API key, a signed token or a private key. Looked through are

- what the server logged while each test ran, all events of it, and what was written to standard error;
- every answer of an application under `watched` that is an error, with its headers;
- the files that tests left behind: databases of SQLite and the logs of processes;
- the write-ahead log of PostgreSQL, which holds every row of every database that there ever was.

Standard output is not looked at: commands print the keys they make.
"""

import base64
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.access import DEMO_KEY, DEMO_READ_KEY
from server import logs
from tests.canaries import WORD
from tests.server.store.samples import MASTER_KEY, OTHER_MASTER_KEY
from tests.server.store.samples import SECRET as STORED

FILES = ("*.db", "*.db-wal", "*.db-shm", "*.log")
API_KEY = re.compile(rb"isk_[0-9A-Za-z]{38}")
PRIVATE_KEY = re.compile(rb"-----BEGIN (RSA |EC |)PRIVATE KEY-----")
TOKEN = re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40,}")
RENEWED = re.compile(rb"(access|refresh)-c\d+-\d+")
"""The tokens of ``tests/server/tokens/token_server.py``."""
_found: list[str] = []


def _inside_base64(word: bytes) -> Iterator[bytes]:
    """Spell what a word becomes inside base64, for each of the three places where it may begin."""
    for before in range(3):
        spelt = base64.b64encode(b"\0" * before + word + b"\0" * 3)
        yield spelt[(8 * before + 5) // 6 : 8 * (before + len(word)) // 6]


NEEDLES = {
    "a canary": (WORD.encode(), *_inside_base64(WORD.encode())),
    "a key of the sandbox": (DEMO_KEY.encode(), DEMO_READ_KEY.encode(), *_inside_base64(DEMO_KEY.encode())),
    "a master key": tuple(key.partition(":")[2].encode() for key in (MASTER_KEY, OTHER_MASTER_KEY)),
    "a stored secret": (STORED, *_inside_base64(STORED)),
}


def leaks(data: bytes) -> list[str]:
    """Name the kinds of secrets that stand in some bytes."""
    found = [name for name, needles in NEEDLES.items() if any(needle in data for needle in needles)]
    if any(API_KEY.match(data, at) for at in _places(b"isk_", data)):
        found.append("an API key")
    if any(PRIVATE_KEY.match(data, at) for at in _places(b"-----BEGIN ", data)):
        found.append("a private key")
    if any(TOKEN.match(data, at) for at in _places(b"eyJ", data)):
        found.append("a signed token")
    if any(RENEWED.match(data, at) for word in (b"access-c", b"refresh-c") for at in _places(word, data)):
        found.append("a token of the token server")
    return found


def _places(beginning: bytes, data: bytes) -> Iterator[int]:
    """Find where a pattern may begin: many times faster than searching for the pattern in a gigabyte."""
    at = data.find(beginning)
    while at >= 0:
        yield at
        at = data.find(beginning, at + 1)


def look_at(data: bytes, *, of: str) -> None:
    """Remember what stands in some bytes and must not; the session fails at its end."""
    _found.extend(f"{name} in {of}" for name in leaks(data))


def look_at_files(folder: Path) -> None:
    """Look at what tests left behind."""
    for pattern in FILES:
        for path in folder.rglob(pattern):
            if path.is_file():
                look_at(path.read_bytes(), of=str(path))


def watched(app: Any) -> Any:
    """Look at every error that an ASGI application answers."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        failing = False

        async def see(message: Any) -> None:
            nonlocal failing
            if message["type"] == "http.response.start":
                failing = message["status"] >= 400
                if failing:
                    look_at(repr(message["headers"]).encode(), of=f"the headers of {scope['method']} {scope['path']}")
            elif failing:
                look_at(message.get("body", b""), of=f"the answer to {scope['method']} {scope['path']}")
            await send(message)

        await app(scope, receive, see)

    return serve


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol() -> None:
    """Let the server say everything while a test runs, whatever the test before left behind."""
    logs.start_logging(level=logging.INFO)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look at what was logged while a test ran."""
    for title, text in report.sections:
        if "stdout" not in title:
            look_at(text.encode("utf-8", "surrogatepass"), of=f"{title.lower()} of {report.nodeid}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look at the files, and fail the session if a secret was seen anywhere."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    if factory is not None and factory._basetemp is not None:  # noqa: SLF001 -- asking properly would make one
        look_at_files(factory.getbasetemp())
    if _found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say where secrets were seen."""
    if _found:
        terminalreporter.section("secrets in the clear", red=True)
        for line in dict.fromkeys(_found):
            terminalreporter.line(line)
