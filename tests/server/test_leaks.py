"""The look at everything finds what it looks for, and a session in which it does fails."""

import base64
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.sandbox.access import DEMO_KEY
from server.access.keys import new_key, shown_prefix
from tests.canaries import canary
from tests.leaks import leaks
from tests.postgres import run_sql, written
from tests.server.signing import token
from tests.server.store.samples import MASTER_KEY, SECRET

ROOT = Path(__file__).parents[2]

SEEN = [
    (canary().encode(), "a canary"),
    (b'{"detail": "no such key: %s"}' % canary().encode(), "a canary"),
    (base64.b64encode(f"ada:{canary()}".encode()), "a canary"),
    (base64.b64encode(f"a:{canary()}".encode()), "a canary"),
    (base64.urlsafe_b64encode(f"it:{canary()}".encode()), "a canary"),
    (b"\0\1" + new_key().encode() + b"\2", "an API key"),
    (f"no such token: {token('k1')}".encode(), "a signed token"),
    (b"Bearer access-c1-17", "a token of the token server"),
    (DEMO_KEY.encode(), "a key of the sandbox"),
    (MASTER_KEY.encode(), "a master key"),
    (SECRET, "a stored secret"),
    (b"-----BEGIN PRIVATE KEY-----\nMII", "a private key"),
    (b"-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key"),
]


@pytest.mark.parametrize(("data", "kind"), SEEN)
def test_a_secret_is_seen_in_whatever_guise(data: bytes, kind: str) -> None:
    assert leaks(data) == [kind]


@pytest.mark.parametrize("data", [b"", b"***", shown_prefix(new_key()).encode(), b"-----BEGIN PUBLIC KEY-----"])
def test_what_may_be_seen_is_no_secret(data: bytes) -> None:
    assert leaks(data) == []


CARELESS = """
import logging
import httpx
from server import logs
from tests.leaks import watched

def test_log():
    logs.event("said", what="{canary}")

def test_library():
    logging.getLogger("x").warning("{canary}")

async def app(scope, receive, send):
    await send({{"type": "http.response.start", "status": 404, "headers": []}})
    await send({{"type": "http.response.body", "body": b"no key {canary}"}})

async def test_error():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(watched(app))) as client:
        assert (await client.get("http://x.test/careless")).status_code == 404

def test_file(tmp_path):
    (tmp_path / "isthmus.db-wal").write_text("{canary}")
"""
CAREFUL = """
def test_log():
    print("{canary}")
"""
PLUGIN = """
from tests.leaks import (
    pytest_runtest_logreport, pytest_runtest_protocol, pytest_sessionfinish, pytest_terminal_summary
)
"""
COMMAND = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]


def session(folder: Path, tests: str) -> tuple[int, str]:
    """Run a session of its own; its exit code and what it printed."""
    (folder / "conftest.py").write_text(PLUGIN)
    (folder / "test_it.py").write_text(tests.format(canary=canary()))
    places = ["--rootdir", str(folder), "--basetemp", str(folder / "kept"), str(folder)]
    done = subprocess.run([*COMMAND, *places], check=False, cwd=ROOT, capture_output=True, text=True, timeout=240)  # noqa: S603
    shutil.rmtree(folder / "kept", ignore_errors=True)  # or this session would find it as well
    return done.returncode, done.stdout


def test_a_session_fails_if_a_secret_comes_out_anywhere(tmp_path: Path) -> None:
    code, said = session(tmp_path, CARELESS)
    assert (code, "4 passed" in said) == (1, True), said
    seen = said.partition("secrets in the clear")[2]
    for place in ("test_log", "test_library", "the answer to GET /careless", "isthmus.db-wal"):
        assert place in seen, said


def test_a_session_that_keeps_its_secrets_does_not_fail(tmp_path: Path) -> None:
    code, said = session(tmp_path, CAREFUL)
    assert (code, "secrets in the clear" in said) == (0, False), said


def test_what_was_written_to_postgresql_is_seen_even_when_its_database_is_gone(postgres_server: str) -> None:
    run_sql(f"{postgres_server}/postgres", "CREATE DATABASE gone")
    run_sql(f"{postgres_server}/gone", "CREATE TABLE t AS SELECT 'no-secret-' || 4711 AS said")
    run_sql(f"{postgres_server}/postgres", "DROP DATABASE gone")
    assert any(b"no-secret-4711" in segment for segment in written(postgres_server))
