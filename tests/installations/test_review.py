"""A config against the account: what a customer is told, where, and whether it keeps them from saving."""

from typing import Any

import pytest

from tests.installations.account import chosen, integration, issues, short

R, W = "read.objects.contacts", "write.objects.contacts"
INHERITS = {"inheritMapping": True}

CASES: list[tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = [
    ("a field that is there", {"read": {}}, {"read": {"selectedFields": {"email": True}}}, []),
    ("nested", {"read": {}}, {"read": {"selectedFields": {"$['address']['city']": True}}}, []),
    ("inside what is not described further", {"read": {}}, {"read": {"selectedFields": {"$['blob']['x']": True}}}, []),
    ("a list inside", {"read": {}}, {"read": {"selectedFields": {"$['blob'][*]['x']": True}}}, []),
    ("the id of every record", {"read": {}}, {"read": {"selectedFields": {"id": True, "Id": True}}}, []),
    (
        "a field that is not there",
        {"read": {}},
        {"read": {"selectedFields": {"emial": True, "gone": False}}},
        [("error", "unknown-field", f"{R}.selectedFields.emial")],
    ),
]


@pytest.mark.parametrize(("case", "spec", "config", "expected"), CASES, ids=[case for case, *_ in CASES])
def test_a_config_is_compared_with_the_account(case: str, spec: Any, config: Any, expected: Any) -> None:
    assert short(issues(integration(**spec), chosen(**config))) == expected, case
