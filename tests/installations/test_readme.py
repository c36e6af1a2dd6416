"""The specification in ``installations/README.md`` holds, example by example."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.manifest import IntegrationSpec
from installations.pipeline import Current, compile_rules, plan, settle
from installations.record import WriteRequest

README = Path(__file__).parents[2] / "installations" / "README.md"
BLOCK = re.compile(r"^```(?:json|yaml) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[Any]:
    """Read the blocks in order; one that says what is sent or refused completes an example."""
    known: dict[str, Any] = {}
    for number, (kind, text) in enumerate(BLOCK.findall(README.read_text("utf-8"))):
        known[kind] = yaml.safe_load(text) if kind == "manifest" else json.loads(text)
        if kind in {"sends", "refused"}:
            yield pytest.param(dict(known), id=f"{number}-{kind}")
            for done in {"sends", "refused", "current", "request"} & known.keys():
                del known[done]


EXAMPLES = list(examples())


def answer(example: dict[str, Any]) -> dict[str, Any]:
    """Run one example, and answer in the form of its last block."""
    spec = msgspec.convert(example["manifest"], IntegrationSpec)
    assert spec.write
    rules = compile_rules(spec, msgspec.convert(example["config"], ConfigContent), spec.write.objects[0].object_name)
    current = msgspec.convert(example.get("current", []), list[Current | None])
    try:
        change = settle(plan(msgspec.convert(example["request"], WriteRequest), rules), current)
    except InvalidInput as error:
        return {"refused": [{"path": issue.path, "code": issue.code} for issue in error.issues]}
    sent = [{"id": record.id, "fields": record.fields} for record in change.records]
    return {"sends": [record if record["id"] else {"fields": record["fields"]} for record in sent]}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_is_true(example: dict[str, Any]) -> None:
    got = answer(example)
    assert got == {kind: example[kind] for kind in got}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 13


def test_every_module_is_listed() -> None:
    said = README.read_text("utf-8")
    assert [path.name for path in README.parent.glob("[!_]*.py") if f"`{path.name}`" not in said] == []
