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
from installations.install import build_config
from installations.manifest import IntegrationSpec
from installations.pipeline import Current, compile_rules, plan, settle
from installations.record import WriteRequest
from installations.review import review
from installations.schema import ObjectMetadata

README = Path(__file__).parents[2] / "installations" / "README.md"
BLOCK = re.compile(r"^```(?:json|yaml) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ANSWERS = frozenset({"sends", "refused", "says"})
"""The blocks that complete an example."""


def examples() -> Iterator[Any]:
    """Read the blocks in order; one of `ANSWERS` completes an example."""
    known: dict[str, Any] = {}
    for number, (kind, text) in enumerate(BLOCK.findall(README.read_text("utf-8"))):
        known[kind] = yaml.safe_load(text) if kind == "manifest" else json.loads(text)
        if kind in ANSWERS:
            yield pytest.param(dict(known), id=f"{number}-{kind}")
            for done in {*ANSWERS, "current", "request"} & known.keys():
                del known[done]


EXAMPLES = list(examples())


def answer(example: dict[str, Any]) -> dict[str, Any]:
    """Run one example, and answer in the form of its last block."""
    spec = msgspec.convert(example["manifest"], IntegrationSpec)
    if "says" in example:
        return {"says": said(spec, example)}
    assert spec.write
    rules = compile_rules(spec, msgspec.convert(example["config"], ConfigContent), spec.write.objects[0].object_name)
    current = msgspec.convert(example.get("current", []), list[Current | None])
    try:
        change = settle(plan(msgspec.convert(example["request"], WriteRequest), rules), current)
    except InvalidInput as error:
        return {"refused": [{"path": issue.path, "code": issue.code} for issue in error.issues]}
    sent = [{"id": record.id, "fields": record.fields} for record in change.records]
    return {"sends": [record if record["id"] else {"fields": record["fields"]} for record in sent]}


def said(spec: IntegrationSpec, example: dict[str, Any]) -> list[list[str]]:
    """Review the config of an example in its account."""
    account = {
        name: {
            "name": name,
            "fields": {each["fieldName"]: {"displayName": each["fieldName"], **each} for each in fields},
        }
        for name, fields in example["account"].items()
    }
    found = review(spec, build_config(spec, example["config"]), msgspec.convert(account, dict[str, ObjectMetadata]))
    return [[issue.severity, issue.code, issue.path.removeprefix("config.content.")] for issue in found]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_is_true(example: dict[str, Any]) -> None:
    got = answer(example)
    assert got == {kind: example[kind] for kind in got}


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 13


def test_every_module_is_listed() -> None:
    said = README.read_text("utf-8")
    assert [path.name for path in README.parent.glob("[!_]*.py") if f"`{path.name}`" not in said] == []
