"""The commands of a page, such as ``README.md``, and a shell that runs them block by block where a new user stands."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

README = Path(__file__).parents[2] / "README.md"
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"\$\{(\w*PORT):=\d+\}")
_END = "--- end of block"
SECONDS = 180
"""For each block, on a machine that has other things to do."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A block of commands and what it shall print; the print is empty where the page shows none."""

    section: str
    commands: str
    wanted: str = ""


class Failed(AssertionError):
    """A command of the page failed, or did not end."""


def steps(page: Path = README) -> list[Step]:
    """Read all steps of a page, in order. What is indented only is for reading, or for another machine."""
    found: list[Step] = []
    names = _SECTION.split(page.read_text("utf-8"))[1:]
    for section, text in zip(names[::2], names[1::2], strict=True):
        for kind, block in _BLOCK.findall(text):
            if kind == "sh":
                found.append(Step(section=section, commands=block))
            else:
                found[-1] = msgspec.structs.replace(found[-1], wanted=block)
    return found


def shows(printed: str, wanted: str) -> bool:
    """Whether the pieces between ``…`` were printed in their order, however the white space falls."""
    pieces = [r"\s+".join(map(re.escape, piece.split())) for piece in wanted.split("…")]
    return re.search(".*?".join(pieces), printed, re.DOTALL) is not None


class Shell:
    """Bash in a checkout with ``.venv`` and an empty home."""

    def __init__(self, process: subprocess.Popen[str], *, ports: dict[str, int], folder: Path) -> None:
        self._process = process
        self._block = folder / "block.sh"
        self._errors = folder / "stderr"
        self.ports = ports
        """By the variables that the page has for them."""

    def run(self, commands: str) -> str:
        """Run a block; what it prints. Raises `Failed` with what it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(SECONDS, self._process.kill)
        timer.start()
        printed = ""
        try:
            # Read from a file, since a command that reads its input would swallow the rest.
            self._block.write_text(_PORT.sub(self._own_port, commands), "utf-8")
            self._process.stdin.write(f". '{self._block}' < /dev/null; echo; echo '{_END}'\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if line.rstrip("\n") == _END:
                    return printed
                printed += line
        finally:
            timer.cancel()
        raise Failed(f"{commands}\nprinted:\n{printed}\nand said:\n{self._errors.read_text('utf-8')}")

    def _own_port(self, default: re.Match[str]) -> str:
        # Only the number is another one: a reader has not set the variable either.
        return f"${{{default[1]}:={self.ports[default[1]]}}}"


@contextmanager
def opened(folder: Path) -> Iterator[Shell]:
    """Open a shell. Nothing it starts outlives it."""
    home, checkout = folder / "home", folder / "checkout"
    home.mkdir()
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(folder)}
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen(  # noqa: S603 -- the page of this repository
            [shutil.which("bash") or "bash", "-euo", "pipefail"],
            cwd=checkout,
            env=given,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
    try:
        ports = dict(zip(("PORT", "SANDBOX_PORT", "PAGE_PORT", "REACT_PORT"), _free_ports(4), strict=True))
        yield Shell(process, ports=ports, folder=folder)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
