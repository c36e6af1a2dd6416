"""The headless module in Node.js: its own tests, and one customer's way against a whole server."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from connectors.sandbox.access import DEMO_KEY
from tests.server.loopback import on_loopback

HERE = Path(__file__).parent


def passes(name: str, ui: Path, **told: str) -> None:
    """Run a file of tests; ``told`` is what they find in their environment."""
    ran = subprocess.run(  # noqa: S603 -- our own tests
        [str(shutil.which("node")), "--test", str(HERE / f"{name}.test.mjs")],
        env={**os.environ, "ISTHMUS_HEADLESS": str(ui / "headless.js"), **told},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_it_makes_of_edits_what_the_table_says(ui: Path) -> None:
    passes("edits", ui, ISTHMUS_EDITS=str(HERE.parent / "edits.json"))


def test_it_tells_what_went_wrong_and_tries_again_where_that_is_safe(ui: Path) -> None:
    passes("api", ui)


def test_a_customer_installs_changes_and_leaves(ui: Path) -> None:
    with on_loopback() as served:
        house = served.house
        served.ask(house.deploy())
        person = {"groupRef": "globex", "consumerRef": "hank"}
        token = served.ask(house.call("POST", "/session-tokens", json=person)).json()["token"]
        stage = {"server": served.origin, "project": house.project_id, "token": token, "sandboxKey": DEMO_KEY}
        passes("journey", ui, ISTHMUS_STAGE=json.dumps(stage))


@pytest.mark.parametrize("name", ["headless", "install"])
def test_declarations_are_those_of_a_page_without_our_tools(ui: Path, name: str) -> None:
    assert "createInstaller(options: Options): Installer" in (ui / f"{name}.d.ts").read_text("utf-8")
