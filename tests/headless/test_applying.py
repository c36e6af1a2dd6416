"""What edits do to a config: the table that the browser's tests run too."""

import json
import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headless.applying import apply
from headless.edits import parse_edits
from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.install import build_config
from installations.manifest import IntegrationSpec
from installations.shape import decode

TABLE = json.loads((Path(__file__).parent / "edits.json").read_text())
CASES = TABLE["cases"]
MADE = [case for case in CASES if "result" in case]
REFUSED = [case for case in CASES if "issues" in case]


def given(case: dict[str, Any]) -> tuple[IntegrationSpec, ConfigContent]:
    return decode(case["manifest"], IntegrationSpec), decode(case["content"], ConfigContent)


def edited(case: dict[str, Any]) -> Any:
    spec, content = given(case)
    before = msgspec.json.encode(content)
    result = apply(spec, content, parse_edits(case["edits"]))
    assert msgspec.json.encode(content) == before
    return msgspec.json.decode(msgspec.json.encode(result))


def test_the_table_has_every_edit_and_no_name_twice() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
    used = {edit["edit"] for case in MADE for edit in case["edits"]}
    written = (Path(__file__).parents[2] / "headless/ui/src/edits.ts").read_text()
    listed = re.findall(r"edit: ((?:'\w+'(?: \| )?)+)", written)
    assert used == {name for names in listed for name in re.findall(r"\w+", names)}


@pytest.mark.parametrize("case", MADE, ids=lambda case: case["name"])
def test_edits_make_what_the_table_says(case: dict[str, Any]) -> None:
    assert edited(case) == case["result"]


@pytest.mark.parametrize("case", MADE, ids=lambda case: case["name"])
def test_the_same_edits_again_change_nothing(case: dict[str, Any]) -> None:
    if case["name"] not in ONCE:
        assert edited({**case, "content": case["result"]}) == case["result"]


ONCE = {"an object that an earlier manifest had can be removed"}
"""What is gone with the only edit that the manifest did not know already."""


@pytest.mark.parametrize("case", MADE, ids=lambda case: case["name"])
def test_what_edits_make_is_a_config_that_can_be_built(case: dict[str, Any]) -> None:
    spec, _ = given(case)
    built = build_config(spec, case["result"])
    assert build_config(spec, msgspec.to_builtins(built)) == built


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_edits_that_cannot_be_are_all_told(case: dict[str, Any]) -> None:
    spec, content = given(case)
    with pytest.raises(InvalidInput) as refused:
        apply(spec, content, parse_edits(case["edits"]))
    assert [{"path": issue.path, "code": issue.code} for issue in refused.value.issues] == case["issues"]


def test_an_unknown_object_is_told_what_it_may_have_meant() -> None:
    spec, content = given(CASES[0])
    with pytest.raises(InvalidInput) as refused:
        apply(spec, content, parse_edits([{"edit": "enableWrite", "objectName": "contcats"}]))
    (issue,) = refused.value.issues
    assert issue.message == "'contcats' is no object that this integration can write"
    assert issue.remedy == "did you mean contacts?"


def test_a_thousand_edits_of_unknown_objects_are_told_in_no_time() -> None:
    names = [f"object_{number}" for number in range(200)]
    objects = [{"objectName": name} for name in names]
    spec = decode({"name": "x", "provider": "x", "write": {"objects": objects}}, IntegrationSpec)
    edits = parse_edits([{"edit": "enableWrite", "objectName": f"objekt_{number}"} for number in range(1000)])
    started = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        apply(spec, ConfigContent(provider="x"), edits)
    assert time.process_time() - started < 1
    assert len(refused.value.issues) == 1000
    assert sum(issue.remedy is not msgspec.UNSET for issue in refused.value.issues) == 10


@pytest.mark.parametrize("case", TABLE["malformed"], ids=lambda case: case["name"])
def test_what_is_no_edit_is_refused_with_its_path(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_edits(case["edits"])
    assert [{"path": issue.path, "code": issue.code} for issue in refused.value.issues] == case["issues"]
