"""The tutorial in ``README.md`` works as it is printed: every command, in order, in one shell, by a new user."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "--- end of block "
SECONDS = 60


def tutorial() -> list[tuple[str, str]]:
    """Read the commands and what each shall print; the print is empty where the page shows none."""
    section = README.read_text("utf-8").split("\n## Tutorial\n")[1].split("\n## ")[0]
    steps: list[tuple[str, str]] = []
    for kind, text in BLOCK.findall(section):
        if kind == "sh":
            steps.append((text, ""))
        else:
            steps[-1] = (steps[-1][0], text)
    return steps


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def run(script: str, *, folder: Path) -> tuple[int, str, str]:
    """Run bash where a new user stands: a checkout with ``.venv``, an empty home. Nothing it starts outlives it."""
    home, checkout = folder / "home", folder / "checkout"
    home.mkdir()
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)
    port, sandbox_port = free_ports(2)
    given = {"HOME": str(home), "TMPDIR": str(folder), "PORT": str(port), "SANDBOX_PORT": str(sandbox_port)}
    process = subprocess.Popen(  # noqa: S603 -- the page of this repository
        [shutil.which("bash") or "bash", "-c", script],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode, out, err


def shows(printed: str, wanted: str) -> bool:
    """Whether the pieces between ``…`` were printed in their order, however the white space falls."""
    pieces = [r"\s+".join(map(re.escape, piece.split())) for piece in wanted.split("…")]
    return re.search(".*?".join(pieces), printed, re.DOTALL) is not None


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Run the whole tutorial; what each block has printed."""
    blocks = [f"{commands}\necho; echo '{END}{number}'\n" for number, (commands, _) in enumerate(tutorial())]
    script = "set -euo pipefail\n" + "".join(blocks) + "wait\n"
    status, out, err = run(script, folder=tmp_path_factory.mktemp("newcomer"))
    parts = re.split(rf"\n{END}\d+\n", out)
    assert (status, len(parts)) == (0, len(blocks) + 1), f"block {len(parts) - 1} failed: {err}\n{parts[-1]}"
    return parts


@pytest.mark.parametrize("number", range(len(tutorial())))
def test_the_tutorial_prints_what_it_says(number: int, printed: list[str]) -> None:
    _, wanted = tutorial()[number]
    assert shows(printed[number], wanted), printed[number]


def test_the_tutorial_has_the_whole_story() -> None:
    assert len(tutorial()) >= 14
