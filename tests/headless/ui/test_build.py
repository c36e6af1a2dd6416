"""The browser modules that are shipped: made of the sources that lie beside them, small, and complete."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.headless.ui.conftest import UI

ASSETS = UI / "assets"
MOST_BYTES = {"headless.js": 10_000, "install.js": 40_000}
"""As they travel. The second holds all that is in the first."""
STALE = "run `make ui`, and commit headless/ui/assets"
NEVER = ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage", "sessionStorage")
OF_LIT = {"innerHTML": 1}
"""Lit makes templates of its own constants, through a policy for trusted types."""


def test_what_is_shipped_is_what_the_sources_make(ui: Path) -> None:
    made = {path.name: path.read_bytes() for path in ui.iterdir() if path.name != "package.json"}
    shipped = {path.name: path.read_bytes() for path in ASSETS.iterdir()}
    assert sorted(shipped) == sorted(made), STALE
    assert [name for name in made if made[name] != shipped[name]] == [], STALE


def test_the_sources_have_no_type_errors(ui: Path) -> None:
    assert ui.is_dir()
    command = [str(shutil.which("node")), "node_modules/typescript/bin/tsc", "--noEmit"]
    checked = subprocess.run(command, cwd=UI, capture_output=True, text=True, timeout=200, check=False)  # noqa: S603 -- our own tool
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", MOST_BYTES)
def test_what_pages_load_is_small(name: str) -> None:
    size = len(gzip.compress((ASSETS / name).read_bytes(), 9))
    assert size <= MOST_BYTES[name]


def test_nothing_in_them_needs_a_lenient_policy_or_stores_a_token() -> None:
    text = (ASSETS / "install.js").read_text("utf-8")
    assert {name: text.count(name) for name in NEVER if name in text} == OF_LIT


def test_declarations_import_nothing() -> None:
    for name in ("headless.d.ts", "install.d.ts"):
        assert not re.search(r"^import |from ['\"]|import\(", (ASSETS / name).read_text("utf-8"), re.MULTILINE), name


def test_the_licence_of_what_is_bundled_goes_along() -> None:
    assert "BSD 3-Clause" in (ASSETS / "lit-LICENSE.txt").read_text("utf-8")
