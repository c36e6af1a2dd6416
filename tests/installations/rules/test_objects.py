from typing import Any

import msgspec
import pytest

from installations.config import ConfigContent
from installations.errors import NotFound
from installations.manifest import IntegrationSpec
from installations.pipeline import compile_rules

SPEC = {
    "name": "crm",
    "provider": "crm",
    "read": {
        "objects": [
            {"objectName": "contact", "mapToName": "person"},
            {"objectName": "account", "mapToName": "company"},
            {"objectName": "deal", "mapToName": "contact"},
        ]
    },
    "write": {
        "objects": [
            {"objectName": "contact", "inheritMapping": True},
            {"objectName": "account"},
            {"objectName": "deal", "inheritMapping": True},
            {"objectName": "task", "mapToName": "todo"},
        ]
    },
}


def compiled(name: str, **content: Any) -> str:
    config = msgspec.convert({"provider": "crm", **content}, ConfigContent)
    return compile_rules(msgspec.convert(SPEC, IntegrationSpec), config, name).object_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("contact", "contact", id="the provider's name first"),
        pytest.param("person", "contact", id="the name of the read object"),
        pytest.param("todo", "task", id="the name of the write object"),
    ],
)
def test_an_object_is_found_by_its_names(name: str, expected: str) -> None:
    assert compiled(name) == expected


def test_the_name_of_a_read_object_counts_where_its_mappings_are_inherited() -> None:
    with pytest.raises(NotFound):
        compiled("company")
    assert compiled("company", write={"objects": {"account": {"objectName": "account", "inheritMapping": True}}}) == (
        "account"
    )


def test_an_unknown_object_is_not_found_and_the_remedy_names_the_known() -> None:
    with pytest.raises(NotFound) as caught:
        compiled("nothing")
    (issue,) = caught.value.issues
    assert (issue.path, issue.code) == ("path.objectName", "unknown-object")
    assert issue.message == "The integration 'crm' writes no object 'nothing'."
    assert issue.remedy == "Enabled for this customer: contact, account, deal, task."


@pytest.mark.parametrize(
    ("objects", "remedy"),
    [
        ({"deal": {"objectName": "deal"}}, "Enabled for this customer: deal."),
        ({}, "No object is enabled for writing."),
    ],
)
def test_an_object_missing_from_the_config_is_off(objects: Any, remedy: str) -> None:
    with pytest.raises(NotFound) as caught:
        compiled("contact", write={"objects": objects})
    (issue,) = caught.value.issues
    assert (issue.code, issue.remedy) == ("write-not-enabled", remedy)


def test_an_integration_without_writes_has_no_objects() -> None:
    with pytest.raises(NotFound):
        compile_rules(IntegrationSpec(name="crm", provider="crm"), ConfigContent(provider="crm"), "contact")
