"""The headless module in Node.js: the table of edits, and what becomes of answers that are no success."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", ["edits", "api"])
def test_it_does_what_its_own_tests_say(ui: Path, name: str) -> None:
    told = {"ISTHMUS_HEADLESS": str(ui / "headless.js"), "ISTHMUS_EDITS": str(HERE.parent / "edits.json")}
    ran = subprocess.run(  # noqa: S603 -- our own tests
        [str(shutil.which("node")), "--test", str(HERE / f"{name}.test.mjs")],
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout
