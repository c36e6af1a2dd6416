"""A server program on loopback: started, found by the line in which it says where it listens, ended."""

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 5
ROOT = Path(__file__).parents[2]
_ANNOUNCED = b"listening on "


@contextmanager
def running(arguments: Sequence[str], *, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a program that prints ``listening on ORIGIN``; yield the origin and end the program in the end.

    What it says besides goes to a file, which an early end quotes.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 -- the tests' own programs
            arguments, cwd=ROOT, env={**os.environ, **(variables or {})}, stdout=subprocess.PIPE, stderr=said
        )
        try:
            yield _origin(process) or _give_up(process, said.fileno())
        finally:
            _end(process)


def _origin(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_SECONDS
    heard = b""
    while not heard.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        more = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not more:
            return ""
        heard += more
    return heard.removeprefix(_ANNOUNCED).decode().strip()


def _give_up(process: subprocess.Popen[bytes], said: int) -> str:
    _end(process)
    os.lseek(said, 0, os.SEEK_SET)
    raise AssertionError(f"{process.args!r} did not start:\n{os.read(said, 100_000).decode(errors='replace')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
