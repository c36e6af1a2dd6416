"""Every published operation that the server offers, decoded as generated clients do: status, media type, body.

Such a client does not fail on an answer that misses its schema: it hands out an empty problem.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES
from tests.conftest import Published
from tests.parts import absent
from tests.server.api.published_calls import CALLS, NOT_OFFERED, Call
from tests.server.api.test_strict_clients import oddities
from tests.server.house import House, open_house

DOCUMENTS = ("api.bundled", "write", "read", "search")
VALIDATORS = Path(__file__).parent / "validators"
METHODS = {"get", "post", "put", "patch", "delete"}


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as a document has it."""

    method: str
    path: str
    responses: dict[str, Any]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A call, what it was answered, and what is published for that."""

    call: Call
    answer: httpx.Response
    media: str | None
    schema: dict[str, Any]

    @property
    def body(self) -> Any:
        return self.answer.json() if "json" in str(self.media) else self.answer.text

    @property
    def validator(self) -> str:
        """The name that the generator gives to it; empty for a refusal whose schema has no name."""
        if self.answer.is_success:
            return f"z{self.call.operation}Response"
        reference: str = self.schema.get("$ref", "")
        return reference and f"z{reference.rpartition('/')[2]}"


def operations(published: Published, document: str) -> dict[str, Operation]:
    return {
        one["operationId"]: Operation(method=method.upper(), path=path, responses=one["responses"])
        for path, methods in published(document)["paths"].items()
        for method, one in methods.items()
        if method in METHODS
    }


def filled(value: Any, names: dict[str, str]) -> Any:
    """Put what was kept in the place of names."""
    text = value if isinstance(value, str) else json.dumps(value)
    return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], found[0]), text)


async def called(house: House, call: Call, operation: Operation, names: dict[str, str]) -> httpx.Response:
    path = "/v1" + filled(operation.path, names | call.names) + filled(call.query, names)
    content = None if call.body is None else filled(call.body, names)
    headers = {"X-Api-Key": call.key or house.key, **({"Content-Type": "application/json"} if content else {})}
    answer = await house.client.request(operation.method, path, headers=headers, content=content)
    if call.keep and answer.status_code == call.status:
        kept = answer.json()[0] if isinstance(answer.json(), list) else answer.json()
        for member in call.member.split("."):
            kept = kept[member]
        names[call.keep] = kept
    return answer


async def play(published: Published) -> list[Said]:
    """Make every call, in order."""
    names = {"provider": "sandbox", "objectName": "contacts"}
    known = {name: operations(published, name) for name in DOCUMENTS}
    said = []
    async with open_house(connectors=[SandboxConnector(provider) for provider in SANDBOXES[1:]]) as house:
        names["projectIdOrName"] = house.project_id
        for call in CALLS:
            operation = known[call.document][call.operation]
            answer = await called(house, call, operation, names)
            declared = operation.responses.get(str(call.status), operation.responses.get("default"))
            assert declared is not None, f"{call.name} is not published"
            ((media, content),) = (declared.get("content") or {None: {}}).items()
            said.append(Said(call=call, answer=answer, media=media, schema=content.get("schema", {})))
    return said


@pytest.fixture(scope="module")
def story(published: Published) -> list[Said]:
    return asyncio.run(play(published))


@pytest.mark.parametrize("index", range(len(CALLS)), ids=[call.name for call in CALLS])
def test_an_answer_is_as_published(story: list[Said], published: Published, index: int) -> None:
    said = story[index]
    assert said.answer.status_code == said.call.status, said.answer.text
    if said.media is None:
        assert (said.answer.content, "json" in said.answer.headers.get("content-type", "")) == (b"", False)
        return
    assert said.answer.headers["content-type"].split(";")[0] == said.media
    assert published.problems(said.call.document, said.schema, said.body) == []
    assert list(oddities(said.body)) == [] if isinstance(said.body, list | dict) else said.body
    if said.media == "application/problem+json":
        assert said.body["status"] == said.call.status
        assert said.body["title"]
        assert said.body["detail"]


def test_no_operation_is_forgotten(published: Published) -> None:
    known = {name for document in DOCUMENTS for name in operations(published, document)}
    called_ones = {call.operation for call in CALLS}
    left_out = {name for names in NOT_OFFERED.values() for name in names}
    assert called_ones | left_out == known
    assert not called_ones & left_out
    assert {call.operation for call in CALLS if call.status < 300} == called_ones


def test_what_is_not_offered_is_not_there(published: Published) -> None:
    """When it comes to be there, it moves from one list to the other."""
    ours = json.loads((Path(__file__).parent / "openapi.json").read_text("utf-8"))["paths"]
    offered = {(method.upper(), shape(path)) for path, methods in ours.items() for method in methods}
    found = {name: one for document in DOCUMENTS for name, one in operations(published, document).items()}
    written = ("POST", shape("/v1/projects/{p}/integrations/{i}/objects/{o}"))
    for name in (name for names in NOT_OFFERED.values() for name in names):
        route = (found[name].method, shape("/v1" + found[name].path))
        assert route not in offered - {written}, f"{name} is offered now: call it"


def shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


@pytest.fixture(scope="module")
def check(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate validators from the published documents, as the published clients were."""
    tools = VALIDATORS / "node_modules" / ".bin"
    if shutil.which("node") is None or not (tools / "openapi-ts").exists():
        absent(f"GENERATOR ABSENT: install node and npm, then run `npm ci` in {VALIDATORS}, or `make test`")
    folder = tmp_path_factory.mktemp("validators")
    (folder / "node_modules").symlink_to(VALIDATORS / "node_modules")
    for document in ("api.bundled", "write"):
        named = {"SPECIFICATION": str(published.path(document)), "GENERATED": str(folder / document)}
        configuration = VALIDATORS / "openapi-ts.config.mjs"
        run(tools / "openapi-ts", "-f", configuration, cwd=folder, **named)
        shutil.copy(VALIDATORS / "check.mjs", folder / document)
        made = f"--outfile={folder / document / 'bundled.mjs'}"
        source = folder / document / "check.mjs"
        run(tools / "esbuild", source, "--bundle", "--platform=node", "--format=esm", made, "--log-level=error")
    return folder


def run(*command: Any, cwd: Path | None = None, given: str = "", **environment: str) -> str:
    done = subprocess.run(  # noqa: S603 -- the tests' own tools
        [str(part) for part in command],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("document", ["api.bundled", "write"])
def test_generated_validators_take_every_answer(story: list[Said], check: Path, document: str) -> None:
    told = [said for said in story if said.call.document == document and "json" in str(said.media) and said.validator]
    given = json.dumps([{"schema": said.validator, "body": said.body} for said in told])
    found = json.loads(run("node", check / document / "bundled.mjs", given=given))
    assert len(found) == len(told) > 0
    assert {said.call.name: problems for said, problems in zip(told, found, strict=True) if problems} == {}
