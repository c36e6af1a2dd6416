from typing import Any

import msgspec
import pytest

from headless.edits import Edit
from installations.config import ConfigContent
from installations.install import misspelt
from installations.record import RetryPolicy, WriteRequest
from installations.slips import near_name, slips_in
from tests.installations.test_published_shapes import CONFIG

WRITE = {"groupRef": "g", "type": "create", "record": {}}
SETTINGS = {"phone": {"defualt": {"stringValue": "1"}, "writeOncreate": "always"}}
LONG = "groupRe" + "f" * 100

SLIPS: list[tuple[Any, Any, dict[str, str]]] = [
    # type, data, the slips: path to what was meant
    (WriteRequest, WRITE, {}),
    (WriteRequest, {**WRITE, "later": 1, "metadata": {}}, {}),
    (WriteRequest, {**WRITE, "retrypolicy": {}}, {"retrypolicy": "retryPolicy"}),
    (WriteRequest, {**WRITE, "retry_policy": {}}, {"retry_policy": "retryPolicy"}),
    (WriteRequest, {**WRITE, "recordId": "1"}, {}),  # beside record, it stands for nothing else
    (WriteRequest, {"groupref": "g", "type": "create"}, {"groupref": "groupRef"}),
    (WriteRequest, {"record": {"groupref": "g", "typ": 1}}, {}),
    (WriteRequest, {"batch": [{"record": {}}, {"recrd": {}}, 5, None]}, {"batch[1].recrd": "record"}),
    (WriteRequest, {"batch": {"recrd": 1}, "headers": "x"}, {}),
    (WriteRequest, {LONG: 1}, {}),
    (WriteRequest, [], {}),
    (RetryPolicy, {"deadlinehours": 1}, {}),  # refused by itself
    (ConfigContent, {"provider": "x", "wirte": {}}, {"wirte": "write"}),
    (
        ConfigContent,
        {"write": {"objects": {"a.b": {"selectedFieldSettings": SETTINGS}}}},
        {
            'write.objects["a.b"].selectedFieldSettings.phone.defualt': "default",
            'write.objects["a.b"].selectedFieldSettings.phone.writeOncreate': "writeOnCreate",
        },
    ),
    (
        ConfigContent,
        {"write": {"objects": {"a": {"selectedValueDefaults": {"phone": {"valu": 1}, "fax": 5}}}}},
        {"write.objects.a.selectedValueDefaults.phone.valu": "value"},
    ),
    (ConfigContent, CONFIG, {}),
    (
        list[Edit],
        [{"edit": "mapField", "objectname": "a"}, {"edit": "enableProxy", "objectname": "a"}, {"edit": "?"}],
        {"[0].objectname": "objectName"},
    ),
    (dict[str, Any], {"groupref": 1}, {}),
]


@pytest.mark.parametrize(("kind", "data", "expected"), SLIPS)
def test_what_is_nearly_known_is_named_and_all_else_ignored(kind: Any, data: Any, expected: dict[str, str]) -> None:
    remedies = {path: f"did you mean {meant}?" for path, meant in expected.items()}
    assert {issue.path: issue.remedy for issue in slips_in(data, kind)} == remedies


def test_many_unknown_members_take_no_time() -> None:
    slips = slips_in({f"groupref{number}": 1 for number in range(100_000)}, WriteRequest)
    assert len(slips) == 100


def test_the_manifests_spelling_of_a_config_s_member_is_no_slip() -> None:
    each = {"inheritFieldsAndMapping": True, "createEvents": {"enabled": "always"}}
    (issue,) = misspelt({"subscribe": {"objects": {"contacts": each}}})
    assert msgspec.to_builtins(issue) == {
        "path": "config.content.subscribe.objects.contacts.createEvents",
        "code": "unknown-member",
        "message": "is not known here and is ignored",
        "severity": "warning",
        "remedy": "did you mean createEvent?",
    }


NEAR = [("state", "status"), ("groupref", "groupRef"), ("limit", None), ("", None), ("x" * 10_000, None)]


@pytest.mark.parametrize(("name", "meant"), NEAR)
def test_one_spelling_away_is_near(name: str, meant: str | None) -> None:
    assert near_name(name, ["status", "groupRef", "pageSize"]) == meant
