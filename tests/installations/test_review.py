"""A config against the account: what a customer is told, where, and whether it keeps them from saving."""

from typing import Any

import msgspec
import pytest

from installations.capabilities import Capabilities, ProviderFacts
from installations.errors import Issue
from installations.install import build_config
from installations.review import breaks, review
from installations.schema import Absent
from tests.installations.account import (
    FIELDS,
    NEEDED,
    TEXT,
    account,
    chosen,
    default,
    integration,
    issues,
    settings,
    short,
)
from tests.installations.review_cases import INHERITING, READING, WRITING

R, W = "read.objects.contacts", "write.objects.contacts"

CASES = [*READING, *WRITING, *INHERITING]


@pytest.mark.parametrize(("case", "spec", "config", "expected"), CASES, ids=[case for case, *_ in CASES])
def test_a_config_is_compared_with_the_account(case: str, spec: Any, config: Any, expected: Any) -> None:
    submitted = {"write": {"objects": {}}} if config == {"write": None} else chosen(**config)
    assert short(issues(integration(**spec), submitted)) == expected, case


def test_where_the_provider_ignores_case_so_does_the_review() -> None:
    config = chosen(
        read={"selectedFields": {"EMAIL": True}},
        write={"selectedFieldSettings": {"LAST_NAME": TEXT, "Stage": default(stringValue="lead")}},
    )
    assert issues(integration(read={}, write={}), config, account(NEEDED), ignores_case=True) == []


def test_where_all_values_are_text_no_number_is_wrong_for_a_text() -> None:
    spec, config = integration(write={}), settings(name=default(integerValue=5))
    assert issues(spec, chosen(**config), values_are_text=True) == []
    assert short(issues(spec, chosen(**config))) == [("error", "wrong-type", f"{W}.selectedFieldSettings.name.default")]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Email", "did you mean 'email'?"),
        ("emial", "did you mean 'email'?"),
        ("E-mail Address", "did you mean 'email'?"),
        ("nothing like it", "choose a field that is there"),
        ("x" * 5000, "choose a field that is there"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(name: str, remedy: str) -> None:
    (issue,) = issues(integration(write={}), chosen(**settings(**{name: TEXT})))
    assert (issue.code, issue.remedy) == ("unknown-field", remedy)


def test_guessing_ends_after_twenty_names() -> None:
    named = {f"emai{index}": TEXT for index in range(30)}
    found = issues(integration(write={}), chosen(**settings(**named)))
    assert [issue.code for issue in found] == ["unknown-field"] * 30
    assert sum(bool(issue.remedy) for issue in found) == 20


UNKNOWN = {"contacts": Absent("There is no object 'contacts'.")}


@pytest.mark.parametrize(
    ("config", "described", "expected"),
    [
        ({"read": {}}, {"contacts": "No right."}, [("warning", "not-described", R)]),
        ({"write": {}}, {"contacts": "No right."}, [("warning", "not-described", W)]),
        ({}, {"contacts": "No right."}, [("warning", "not-described", W)]),
        ({"read": {}}, UNKNOWN, [("error", "unknown-object", R)]),
        ({"write": {}}, UNKNOWN, [("error", "unknown-object", W)]),
        ({}, UNKNOWN, [("warning", "unknown-object", W)]),
        ({"write": {}}, {}, []),
        ({"write": {"selectedFieldSettings": {"gone": {}}}}, account(fields=[]), []),
    ],
)
def test_an_object_that_is_not_described_is_told_once_and_nothing_is_guessed(
    config: Any, described: Any, expected: Any
) -> None:
    assert short(issues(integration(read={}, write={}), chosen(**config), described)) == expected


def test_an_object_that_is_off_need_not_be_there() -> None:
    config = {"read": {"objects": {"contacts": {"disabled": True}}}, "write": {"objects": {}}}
    assert issues(integration(read={}, write={}), config, UNKNOWN) == []


def test_an_object_that_every_customer_has_may_be_missing_in_one_account() -> None:
    spec = integration(read={"enabled": "always"})
    assert short(issues(spec, {}, UNKNOWN)) == [("warning", "unknown-object", R)]


def test_a_flat_description_says_nothing_about_nested_names() -> None:
    flat = account(fields=[each for each in FIELDS if not each["fieldName"].startswith("$")])
    spec = integration(write={"fieldMappings": [{"fieldName": "$['Account']['Code__c']", "mapToName": "code"}]})
    assert short(issues(spec, {}, flat)) == [("warning", "not-described", f"{W}.selectedFieldMappings.code")]


def test_watched_fields_are_looked_for_too() -> None:
    event = {"enabled": "always", "requiredWatchFields": ["email", "gone"]}
    watching = {"objects": {"contacts": {"destination": "d", "updateEvent": event}}}
    found = issues(integration(read={}), {"subscribe": watching})
    path = "subscribe.objects.contacts.updateEvent.requiredWatchFields[1]"
    assert short(found) == [("warning", "unknown-field", path)]


def test_the_account_of_another_provider_is_not_compared() -> None:
    other = ProviderFacts(name="hubspot", support=Capabilities())
    assert issues(integration(write={}), chosen(**settings(gone=TEXT)), provider=other) == []


def test_the_path_of_the_document_is_the_callers() -> None:
    spec = integration(write={})
    (issue,) = review(spec, build_config(spec, chosen(**settings(vip=TEXT))), account(), path="content")
    assert issue.path == "content.write.objects.contacts.selectedFieldSettings.vip.default"


def test_an_object_with_marks_in_its_name_keeps_its_path() -> None:
    spec = integration(write={})
    odd = "job.posts"
    renamed = msgspec.convert({**msgspec.to_builtins(spec), "write": {"objects": [{"objectName": odd}]}}, type(spec))
    config = {"write": {"objects": {odd: {"selectedFieldSettings": {"vip": TEXT}}}}}
    (issue,) = issues(renamed, config, account(name=odd))
    assert issue.path == 'config.content.write.objects["job.posts"].selectedFieldSettings.vip.default'


@pytest.mark.parametrize(
    ("issue", "expected"),
    [
        (Issue(path="", message="", code="anything"), True),
        (Issue(path="", message="", code="unknown-field", severity="warning"), True),
        (Issue(path="", message="", code="not-described", severity="warning"), False),
        (Issue(path="", message="", code="required-field", severity="warning"), False),
    ],
)
def test_a_warning_may_still_mean_that_nothing_works(issue: Issue, *, expected: bool) -> None:
    assert breaks(issue) is expected
