"""The command as an operator uses it: real processes, a real SQLite file."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.access.keys import is_well_formed

GOOD = """specVersion: 1.0.0
integrations:
  - name: crm
    provider: hubspot
    colour: red
    write: {objects: [{objectName: contacts}]}
"""
BAD = GOOD.replace("hubspot", "nobody").replace("1.0.0", "9.9.9")


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
    return {**kept, "ISTHMUS_DATABASE_URL": f"sqlite:///{folder}/isthmus.db"}


def isthmus(folder: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", "from server.cli import main; main()", *arguments],
        cwd=folder,
        env={**environment(folder), **extra},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve on a port of the kernel's choice; the origin, once it answers."""
    with (folder / "stderr.log").open("ab") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", "from server.cli import main; main()", "serve", "--port", "0"],
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rpartition(" ")[2].strip()
    finally:
        process.terminate()
        assert process.wait(timeout=120) == 0
        process.stdout.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("operator")


@pytest.fixture(scope="module")
def project(folder: Path) -> Any:
    return json.loads(isthmus(folder, "init", "--project", "Acme", "--json").stdout)


def test_init_prints_a_project_and_its_key(project: Any) -> None:
    assert set(project) == {"projectId", "projectName", "apiKey"}
    assert project["projectName"] == "acme"
    assert is_well_formed(project["apiKey"])


def test_a_second_project_of_the_name_is_one_sentence(folder: Path, project: Any) -> None:
    again = isthmus(folder, "init", "--project", project["projectName"])
    assert again.returncode == 1
    assert "acme" in again.stderr
    assert len(again.stderr.splitlines()) == 1


def test_serve_deploy_and_stop(folder: Path, project: Any) -> None:
    good, bad = folder / "amp.yaml", folder / "bad.yaml"
    good.write_text(GOOD)
    bad.write_text(BAD)
    with serving(folder) as origin:
        live = httpx.get(f"{origin}/healthz", timeout=60)
        assert (live.json(), live.headers.get("server")) == ({"status": "live"}, None)
        assert httpx.get(f"{origin}/readyz", timeout=60).json() == {"status": "ready"}
        held = isthmus(folder, "api-keys", "new", "--project", "acme")
        assert (held.returncode, "another Isthmus process" in held.stderr) == (1, True)

        access = {"ISTHMUS_URL": origin, "ISTHMUS_API_KEY": project["apiKey"]}
        deployed = isthmus(folder, "deploy", "amp.yaml", "--project", "acme", **access)
        assert deployed.returncode == 0, deployed.stderr
        assert deployed.stdout.startswith("amp.yaml:5: warning: integrations[0].colour: ")
        assert "deployed crm (hubspot), revision " in deployed.stdout

        refused = isthmus(folder, "deploy", "bad.yaml", "--project", "acme", **access)
        assert refused.returncode == 1
        errors = [line for line in refused.stderr.splitlines() if ": error: " in line]
        assert [line.split(": ")[0] for line in errors] == ["bad.yaml:1", "bad.yaml:4"]

        stranger = isthmus(folder, "deploy", "amp.yaml", "--project", "rival", **access)
        assert (stranger.returncode, "no such project" in stranger.stderr) == (1, True)
        assert "--project" in stranger.stderr

        locked_out = isthmus(
            folder, "deploy", "amp.yaml", "--project", "acme", ISTHMUS_URL=origin, ISTHMUS_API_KEY="no"
        )
        assert (locked_out.returncode, "--api-key" in locked_out.stderr) == (1, True)


SENTENCES = [
    # the command, its environment, and a part of what it says
    (("deploy", "none.yaml", "--project", "acme", "--api-key", "k"), {}, "none.yaml cannot be read"),
    (("deploy", "amp.yaml", "--project", "acme"), {}, "ISTHMUS_API_KEY"),
    (("worker",), {}, "isthmus serve"),
    (("worker",), {}, "ISTHMUS_DATABASE_URL=postgresql://"),
    (("serve", "--without-worker"), {}, "leave --without-worker out"),
    (("api-keys", "new", "--project", "nobody"), {}, "nobody"),
    (("init", "--project", "no good!"), {}, "letters and digits"),
    (("migrate",), {"ISTHMUS_DATABASE_URL": "mysql://x"}, "ISTHMUS_DATABASE_URL"),
    (("migrate",), {"ISTHMUS_DATABASE_URL": "isthmus.db"}, "sqlite://"),
    (("deploy", "/dev/null", "--project", "a", "--api-key", "k", "--url", "http://127.0.0.1:1"), {}, "isthmus serve"),
    (("serve",), {"ISTHMUS_PROVIDER_URLS": "{"}, "ISTHMUS_PROVIDER_URLS"),
    (("tokens", "sign", "--private-key", "no.pem", "--kid", "k", "--group", "g", "--consumer", "c"), {}, "no.pem"),
    (("tokens", "sign", "--private-key", "/dev/null", "--kid", "k", "--group", "g", "--consumer", "c"), {}, "openssl"),
]


@pytest.mark.parametrize(("arguments", "extra", "said"), SENTENCES, ids=lambda part: str(part)[:30])
def test_what_cannot_be_done_is_said_in_a_sentence(
    folder: Path, project: Any, arguments: tuple[str, ...], extra: dict[str, str], said: str
) -> None:
    assert project
    ended = isthmus(folder, *arguments, **extra)
    assert (ended.returncode, said in ended.stderr) == (1, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_migrate_says_when_nothing_is_to_do(folder: Path, project: Any) -> None:
    assert project
    assert isthmus(folder, "migrate").stdout == "The database is up to date.\n"


def test_another_key_can_be_made(folder: Path, project: Any) -> None:
    made = json.loads(isthmus(folder, "api-keys", "new", "--project", "acme", "--scope", "frontend", "--json").stdout)
    assert made["projectId"] == project["projectId"]
    assert made["apiKey"] != project["apiKey"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pace", '{"latencyMs": -1}'), "$.latencyMs"),
        (("--pace", "{fast}"), "malformed"),
        (("--faults", '{"faults": [{"kind": "earthquake"}]}'), "$.faults[0].kind"),
    ],
)
def test_a_sandbox_that_cannot_be_meant_is_refused(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = isthmus(tmp_path, "sandbox", *arguments)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr
    assert "Traceback" not in ended.stderr
