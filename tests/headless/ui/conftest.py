"""The browser modules, built from the sources as they are now."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.parts import absent

UI = Path(__file__).parents[3] / "headless" / "ui"


@pytest.fixture(scope="session")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build them into a folder of their own; the folder."""
    node = shutil.which("node")
    if node is None or not (UI / "node_modules" / "esbuild").is_dir():
        absent(f"NODE ABSENT: install node and npm, then run `npm ci --ignore-scripts` in {UI}, or `make test`")
    folder = tmp_path_factory.mktemp("ui")
    subprocess.run([node, "build.mjs", str(folder)], cwd=UI, check=True, timeout=200)  # noqa: S603 -- our own build
    # Node.js reads the type of a module from the nearest package.json.
    (folder / "package.json").write_text('{"type": "module"}')
    return folder
