"""Whatever is held against an account: every issue has a place, what fits has no error, and it does not take long."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.install import build_config
from installations.review import review
from tests.installations.account import (
    FIELDS,
    NEEDED,
    TEXT,
    account,
    choices,
    chosen,
    default,
    field,
    integration,
    issues,
)

GOOD: dict[str, Any] = {
    "name": "text",
    "vip": True,
    "stage": "won",
    "tags": ["red"],
    "visits": 1,
    "score": 1.5,
    "blob": 1,
    "untyped": "x",
}
names = st.sampled_from(
    [*[each["fieldName"] for each in FIELDS], "NAME", "gone", "id", "$['blob'][*]", "$[", "", "mail"]
)
members = {str: "stringValue", bool: "booleanValue", int: "integerValue", float: "floatValue", list: "listValue"}
values = st.sampled_from([*GOOD.values(), {"a": 1}, None, "x" * 50])
rules = st.fixed_dictionaries(
    {},
    optional={
        "default": st.builds(lambda value: {members.get(type(value), "value"): value}, values),
        "writeOnCreate": st.sampled_from(["always", "never"]),
        "writeOnUpdate": st.sampled_from(["always", "never", "ifEmpty"]),
    },
)
mappings = st.dictionaries(names, names)
translations = st.dictionaries(names, st.dictionaries(st.sampled_from(["new", "old"]), st.sampled_from(["won", "x"])))
manifest_fields = st.lists(
    st.fixed_dictionaries({}, optional={"fieldName": names, "mapToName": names, "default": names}), max_size=4
)
reads = st.fixed_dictionaries({"requiredFields": manifest_fields, "optionalFields": manifest_fields})
writes = st.fixed_dictionaries(
    {"fieldMappings": manifest_fields, "fieldSettings": st.dictionaries(names, rules), "upsertKeys": st.lists(names)},
    optional={"inheritMapping": st.booleans(), "removeUnmappedFields": st.booleans()},
)
chosen_reads = st.fixed_dictionaries(
    {
        "selectedFields": st.dictionaries(names, st.booleans()),
        "selectedFieldMappings": mappings,
        "selectedValueMappings": translations,
        "dynamicMappingsInput": st.lists(st.fixed_dictionaries({}, optional={"fieldName": names, "mapToName": names})),
    },
    optional={"disabled": st.booleans()},
)
chosen_writes = st.fixed_dictionaries(
    {
        "selectedFieldSettings": st.dictionaries(names, rules),
        "selectedFieldMappings": mappings,
        "selectedValueMappings": translations,
    }
)


@given(reads, writes, chosen_reads, chosen_writes, st.booleans())
def test_whatever_is_sent_is_answered_with_issues_that_have_a_place(
    read: Any,
    write: Any,
    read_config: Any,
    write_config: Any,
    ignores_case: bool,  # noqa: FBT001 -- drawn
) -> None:
    config = chosen(read_config, write_config)
    found = issues(integration(read, write), config, account(NEEDED), ignores_case=ignores_case)
    assert all(issue.path.startswith("config.content.") and issue.message for issue in found)


@given(st.sets(st.sampled_from(sorted(GOOD)), min_size=1), st.booleans(), st.booleans())
def test_what_is_there_and_of_the_right_type_has_no_error(picked: set[str], inherits: bool, old: bool) -> None:  # noqa: FBT001 -- drawn
    typed = {name: default(**{members[type(GOOD[name])]: GOOD[name]}) for name in picked}
    plain = {name: GOOD[name] for name in picked if not isinstance(GOOD[name], list)}
    read = {"selectedFields": dict.fromkeys(picked, True), "selectedFieldMappings": {f"my_{n}": n for n in picked}}
    config = chosen(read, {"selectedValueDefaults": plain} if old else {"selectedFieldSettings": typed})
    found = issues(integration({}, {"inheritMapping": inherits}), config, account(NEEDED))
    assert [issue for issue in found if issue.severity == "error"] == []


MANY = 4000


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"write": {"selectedFieldSettings": {f"feild_{n}": TEXT for n in range(MANY)}}}, id="settings"),
        pytest.param({"read": {"selectedFields": {f"feild_{n}": True for n in range(MANY)}}}, id="fields"),
        pytest.param(
            {
                "read": {
                    "selectedFieldMappings": {f"name_{n}": "field_1" for n in range(MANY)},
                    "dynamicMappingsInput": [{"mapToName": f"nmae_{n}"} for n in range(MANY)],
                }
            },
            id="mappings",
        ),
        pytest.param(
            {"write": {"selectedValueMappings": {"kind": {f"a{n}": f"b{n}" for n in range(MANY)}}}}, id="values"
        ),
        pytest.param(
            {"write": {"selectedFieldSettings": {"kind": default(listValue=["v1"] * MANY + ["x"])}}}, id="a list"
        ),
    ],
)
def test_it_is_quick_where_much_is_wrong(config: Any) -> None:
    """Reviewing stops everybody else's requests in this process; this config is larger than any sensible one."""
    kind = field("kind", valueType="multiSelect", values=choices(*(f"v{n}" for n in range(MANY))))
    many = account(kind, fields=[field(f"field_{n}") for n in range(500)])
    spec = integration(read={}, write={"inheritMapping": True})
    content = build_config(spec, chosen(**config))
    started = time.process_time()
    assert review(spec, content, many)
    assert time.process_time() - started < 2
