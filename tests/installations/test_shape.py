import json
import math
from contextlib import suppress
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.manifest import Manifest
from installations.record import RetryPolicy, WriteRequest
from installations.shape import decode, examine, parse_json


def found(error: InvalidInput) -> set[tuple[str, str]]:
    return {(issue.path, issue.code) for issue in error.issues}


def body(record: str) -> bytes:
    return b'{"groupRef":"g","type":"create","record":' + record.encode() + b"}"


GOOD = [
    ("an empty record", body("{}")),
    ("the largest whole number", body('{"n":9223372036854775807}')),
    ("the smallest whole number", body('{"n":-9223372036854775808}')),
    ("many digits in text", body('{"n":"99999999999999999999999999"}')),
    ("NUL in a value", body('{"n":"a\\u0000b"}')),
    ("a pair of surrogates", body('{"n":"\\ud83d\\ude00"}')),
    ("colons and braces in text", body('{"url":"https://a.b/{c}:[d]"}')),
    ("one name in two objects", body('{"a":{"x":1},"b":{"x":1}}')),
    ("null in a record", body('{"a":null}')),
    ("null for an optional member", b'{"groupRef":"g","type":"create","record":{},"batch":null}'),
    ("an unknown member", b'{"groupRef":"g","type":"create","record":{},"later":1}'),
    (
        "a hundred records",
        b'{"groupRef":"g","type":"create","batch":[' + b",".join([b'{"record":{"a":1}}'] * 100) + b"]}",
    ),
]


@pytest.mark.parametrize(("case", "data"), GOOD, ids=[case for case, _ in GOOD])
def test_good_json_comes_through(case: str, data: bytes) -> None:
    value = parse_json(data, WriteRequest)
    assert value.group_ref == "g", case
    if value.record is not msgspec.UNSET:
        assert value.record == json.loads(data)["record"]


BAD: list[tuple[str, bytes, set[tuple[str, str]]]] = [
    ("nothing", b"", {("", "invalid-json")}),
    ("no JSON", b"{", {("", "invalid-json")}),
    ("another encoding", '{"groupRef":"é"}'.encode("latin-1"), {("", "invalid-json")}),
    ("a byte order mark", b"\xef\xbb\xbf{}", {("", "invalid-json")}),
    ("a raw control character", body('{"a":"\x00"}'), {("", "invalid-json")}),
    ("another kind", b"null", {("", "wrong-type")}),
    ("NaN", body('{"amount":NaN}'), {("record.amount", "out-of-range")}),
    ("Infinity", body('{"amount":-Infinity}'), {("record.amount", "out-of-range")}),
    ("a float without end", body('{"amount":1e400}'), {("record.amount", "out-of-range")}),
    ("2^63", body('{"amount":9223372036854775808}'), {("record.amount", "out-of-range")}),
    ("400 digits", body('{"amount":' + "9" * 400 + "}"), {("record.amount", "out-of-range")}),
    ("5000 digits, nested", body('{"a":[{"b":' + "1" * 5000 + "}]}"), {("record.a[0].b", "out-of-range")}),
    ("one name twice", body('{"a":1,"a":2}'), {("record.a", "duplicate-key")}),
    (
        "one name twice at the top",
        b'{"groupRef":"g","type":"create","record":{},"type":"update"}',
        {("type", "duplicate-key")},
    ),
    ("names with dots", body('{"a.b":{"c":1,"c":1}}'), {('record["a.b"].c', "duplicate-key")}),
    ("half a character", body('{"a":"\\ud800"}'), {("record.a", "invalid-text")}),
    ("the other half", body('{"a":"\\udc00x"}'), {("record.a", "invalid-text")}),
    ("NUL in a field's name", body('{"a\\u0000":1}'), {('record["a\N{SYMBOL FOR NULL}"]', "invalid-text")}),
    ("NUL in the group", b'{"groupRef":"g\\u0000","type":"create","record":{}}', {("groupRef", "invalid-text")}),
    ("65 levels", body('{"a":' + "[" * 63 + "]" * 63 + "}"), {("record.a" + "[0]" * 62, "too-deep")}),
    ("5000 levels", body('{"a":' + "[" * 5000 + "]" * 5000 + "}"), {("", "too-deep")}),
    (
        "everything at once",
        b'{"groupRef":1,"type":"make","retryPolicy":{"deadlineHours":49},"batch":[{},{"record":5},{"record":{"x":1e999}}]}',
        {
            ("groupRef", "wrong-type"),
            ("type", "not-allowed"),
            ("retryPolicy.deadlineHours", "out-of-range"),
            ("batch[0].record", "required"),
            ("batch[1].record", "wrong-type"),
            ("batch[2].record.x", "out-of-range"),
        },
    ),
]


@pytest.mark.parametrize(("case", "data", "expected"), BAD, ids=[case for case, *_ in BAD])
def test_bad_json_is_refused_with_every_path(case: str, data: bytes, expected: set[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_json(data, WriteRequest)
    assert found(refused.value) == expected, case
    assert str(refused.value).isprintable()


def test_64_levels_are_allowed() -> None:
    assert parse_json(body('{"a":' + "[" * 62 + "]" * 62 + "}"), WriteRequest).group_ref == "g"


def test_paths_stand_under_the_path_given() -> None:
    with pytest.raises(InvalidInput) as refused:
        decode({"read": {"objects": {"job.appointments": {"objectName": 5}}}}, ConfigContent, path="config.content")
    assert found(refused.value) == {
        ("config.content.provider", "required"),
        ('config.content.read.objects["job.appointments"].objectName', "wrong-type"),
    }


def test_unknown_members_are_refused_on_request() -> None:
    with pytest.raises(InvalidInput) as refused:
        decode({"provider": "x", "reed": {}}, ConfigContent, unknown="refuse")
    (issue,) = refused.value.issues
    assert (issue.path, issue.code, issue.remedy) == ("reed", "unknown-member", "did you mean read?")


class Cat(msgspec.Struct, tag="cat", tag_field="kind"):
    lives: int


class Dog(msgspec.Struct, tag="dog", tag_field="kind"):
    name: str


class Home(msgspec.Struct):
    pet: Cat | Dog
    size: int | str | None = None
    mood: Literal["good", 1] = "good"


HOMES: list[tuple[Any, set[tuple[str, str]]]] = [
    ({"pet": {"kind": "cat", "lives": 9}}, set()),
    ({"pet": {"kind": "cat"}}, {("pet.lives", "required")}),
    ({"pet": {"kind": "cow"}}, {("pet.kind", "not-allowed")}),
    ({"pet": {}}, {("pet.kind", "required")}),
    ({"pet": [], "size": 1.5, "mood": 2}, {("pet", "wrong-type"), ("size", "wrong-type"), ("mood", "not-allowed")}),
    ({"pet": {"kind": "dog", "name": None}, "size": True}, {("pet.name", "required"), ("size", "wrong-type")}),
]


@pytest.mark.parametrize(("data", "expected"), HOMES)
def test_unions_are_told_apart_by_tag_and_kind(data: Any, expected: set[tuple[str, str]]) -> None:
    _, issues = examine(data, Home)
    assert {(issue.path, issue.code) for issue in issues} == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["read", "write", "objects", "objectName", "record", "type", "a"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([ConfigContent, Manifest, WriteRequest]), st.booleans())
def test_any_data_is_decoded_or_refused(data: Any, kind: type, strict: bool) -> None:  # noqa: FBT001 -- drawn
    with suppress(InvalidInput):
        decode(data, kind, unknown="refuse" if strict else "ignore")


@given(JSON)
def test_any_json_text_is_decoded_as_it_is_or_refused(data: Any) -> None:
    text = json.dumps({"groupRef": "g", "type": "create", "record": {"a": data}})
    with suppress(InvalidInput):
        assert parse_json(text.encode(), WriteRequest).record == {"a": data}


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_json(data, WriteRequest)


def test_numbers_that_are_not_finite_are_refused_outside_json_too() -> None:
    data = {"provider": "x", "subscribe": {"objects": {"a": {"objectName": "a", "providerOptions": {"n": math.nan}}}}}
    with pytest.raises(InvalidInput) as refused:
        decode(data, ConfigContent)
    assert found(refused.value) == {("subscribe.objects.a.providerOptions.n", "out-of-range")}


def test_a_fraction_is_told_from_the_whole_number_that_was_wanted() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_json(b'{"deadlineHours": 1.5}', RetryPolicy)
    (issue,) = caught.value.issues
    assert (issue.path, issue.message) == ("deadlineHours", "must be a whole number, not a number with a fraction")


def test_a_misspelt_choice_is_told_with_what_was_probably_meant() -> None:
    for type_, remedy in (("creat", "did you mean create?"), ("gone", msgspec.UNSET), ("x" * 1000, msgspec.UNSET)):
        with pytest.raises(InvalidInput) as refused:
            parse_json(json.dumps({"groupRef": "g", "type": type_, "record": {}}).encode(), WriteRequest)
        assert [(issue.path, issue.remedy) for issue in refused.value.issues] == [("type", remedy)]
