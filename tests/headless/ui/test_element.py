"""What the element's parts know without a page, in Node.js."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.headless.ui.conftest import UI

HERE = Path(__file__).parent
ENTRY = """
export { english } from './strings.js';
export { Words, wordsFor, directionOf } from './words.js';
export { default as german } from './german.js';
export { askedFor, credentialsOf } from './asked.js';
export { faultsOf } from './faults.js';
export { webAddress } from './links.js';
"""


DRAFT = """
export { createDraft } from '../draft.js';
export { Refusal } from '../refusal.js';
export { pathOfEdit, placed } from '../paths.js';
export { applyEdits } from '../applying.js';
"""


@pytest.mark.parametrize(("name", "entry"), [("element", ENTRY), ("draft", DRAFT)])
def test_its_words_and_its_questions_and_drafts(ui: Path, tmp_path: Path, name: str, entry: str) -> None:
    assert ui.is_dir()
    node, made = str(shutil.which("node")), tmp_path / "element.mjs"
    bundling = ["--bundle", "--format=esm", "--platform=node", "--loader=ts", "--log-level=error", f"--outfile={made}"]
    command = [str(UI / "node_modules" / ".bin" / "esbuild"), *bundling]
    subprocess.run(command, input=entry, text=True, cwd=UI / "src" / "element", check=True, timeout=200)  # noqa: S603 -- our own tool
    ran = subprocess.run(  # noqa: S603 -- our own tests
        [node, "--test", str(HERE / f"{name}.test.mjs")],
        env={**os.environ, "ISTHMUS_ELEMENT": str(made), "ISTHMUS_DEFAULTS": str(HERE.parent / "defaults.json")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
