"""The browser modules that are shipped: made of the sources that lie beside them, small, and complete."""

import gzip
import re
import shutil
import subprocess
from pathlib import Path

from tests.headless.ui.conftest import UI

ASSETS = UI / "assets"
MOST_BYTES = 40_000
"""Of both modules together, as they travel."""
NEVER = ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage", "sessionStorage")
OF_LIT = {"innerHTML": 1}
"""Lit makes templates of its own constants, through a policy for trusted types."""


def test_what_is_shipped_is_what_the_sources_make(ui: Path) -> None:
    made = {path.name: path.read_bytes() for path in ui.iterdir() if path.name != "package.json"}
    assert {path.name: path.read_bytes() for path in ASSETS.iterdir()} == made, "run `make ui` and commit headless/ui/assets"


def test_the_sources_have_no_type_errors(ui: Path) -> None:
    assert ui.is_dir()
    checked = subprocess.run(
        [str(shutil.which("npm")), "run", "--silent", "check"], cwd=UI, capture_output=True, text=True, timeout=120
    )
    assert checked.returncode == 0, checked.stdout


def test_both_modules_are_small() -> None:
    sizes = {name: len(gzip.compress((ASSETS / name).read_bytes(), 9)) for name in ("headless.js", "install.js")}
    print("gzipped:", sizes)
    assert sum(sizes.values()) <= MOST_BYTES, sizes


def test_nothing_in_them_needs_a_lenient_policy_or_stores_a_token() -> None:
    text = (ASSETS / "install.js").read_text("utf-8")
    assert {name: text.count(name) for name in NEVER if name in text} == OF_LIT


def test_declarations_import_nothing() -> None:
    for name in ("headless.d.ts", "install.d.ts"):
        assert not re.search(r"^import |from ['\"]|import\(", (ASSETS / name).read_text("utf-8"), re.MULTILINE), name


def test_the_licence_of_what_is_bundled_goes_along() -> None:
    assert "BSD 3-Clause" in (ASSETS / "lit-LICENSE.txt").read_text("utf-8")
