from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installations.errors import InvalidInput
from installations.explain import explain
from installations.paths import member
from installations.pipeline import ORDER, Current, Plan, Rules, plan, settle
from installations.record import Action, Record, WriteRequest
from tests.installations.customers import ask, rules, sent

UNHURRIED = settings(deadline=None)
"""A busy machine is no fault of ours."""

NAMES = ("a", "b", "c", "mail", "open", "x", "y", "key")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "new", "ü", "é\0"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
)
PATHS = ("$['x']['a']", "$['x']['b']", "$['x']['b']['c']", "$['y']['a']")
FIELDS = st.sampled_from((*NAMES, *PATHS))
RECORDS = st.dictionaries(FIELDS, VALUES, max_size=8)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "default": st.sampled_from([{"stringValue": "d"}, {"integerValue": 0}, {"listValue": ["l"]}]),
        "writeOnCreate": st.sampled_from(["always", "never"]),
        "writeOnUpdate": st.sampled_from(["always", "never", "ifEmpty"]),
    },
)
ACTIONS: st.SearchStrategy[Action] = st.sampled_from(["create", "update", "upsert", "delete"])


@st.composite
def customers(draw: st.DrawFn) -> Rules:
    """Any customer: mappings with swaps, chains and nested names, settings of both layers, the switch."""
    write = {
        "inheritMapping": draw(st.booleans()),
        "fieldMappings": [{"mapToName": "open"}],
        "fieldSettings": draw(st.dictionaries(FIELDS, SETTINGS, max_size=3)),
        "removeUnmappedFields": draw(st.booleans()),
    }
    chosen = {
        "selectedFieldMappings": draw(st.dictionaries(FIELDS, FIELDS, max_size=4)),
        "selectedFieldSettings": draw(st.dictionaries(FIELDS, SETTINGS, max_size=4)),
        "selectedValueDefaults": {"c": {"value": 1, "applyOnUpdate": draw(st.sampled_from(["always", "never"]))}},
        "selectedValueMappings": {"mail": {"new": "Lead", "true": "Yes"}},
        "deletionSettings": {"enabled": True},
    }
    read = {"selectedFieldMappings": draw(st.dictionaries(FIELDS, FIELDS, max_size=3))}
    return rules(write, {}, chosen=chosen, chosen_read=read)


@st.composite
def requests(draw: st.DrawFn) -> WriteRequest:
    """Any request, single or batch."""
    action = draw(ACTIONS)
    records = draw(st.lists(RECORDS, min_size=1, max_size=3))
    for index, record in enumerate(records):
        if action in {"update", "delete"}:
            record["id"] = f"{index}"
        if action == "upsert":
            record["key"] = f"{index}"
    members: dict[str, Any] = {"matchKey": "key"} if action == "upsert" else {}
    if draw(st.booleans()):
        return ask(action, batch=[{"record": record} for record in records], **members)
    return ask(action, records[0], **members)


def attempt(request: WriteRequest, ready: Rules) -> Plan | None:
    """Plan; refusals are an answer, anything else raised is a fault."""
    try:
        return plan(request, ready)
    except InvalidInput:
        return None


def records_of(request: WriteRequest) -> list[Record]:
    """List what was asked."""
    return [item.record for item in request.batch] if request.batch else [request.record or {}]


def now(made: Plan) -> list[Current | None]:
    """Every second record exists, with a value in some fields."""
    fields: Record = {"a": "there", "x": {"a": "there", "b": ""}, "mail": ""}
    return [Current(id=str(index), fields=fields) if index % 2 == 0 else None for index in range(len(made.records))]


@UNHURRIED
@given(request=requests(), ready=customers())
def test_the_request_is_never_changed(request: WriteRequest, ready: Rules) -> None:
    before = msgspec.json.encode(request)
    made = attempt(request, ready)
    if made is not None:
        kept = msgspec.json.encode(made)
        settle(made, now(made))
        explain(made, now(made))
        assert msgspec.json.encode(made) == kept
    assert msgspec.json.encode(request) == before


@UNHURRIED
@given(request=requests(), ready=customers())
def test_a_stored_plan_settles_like_the_plan_itself(request: WriteRequest, ready: Rules) -> None:
    made = attempt(request, ready)
    if made is not None:
        again = msgspec.json.decode(msgspec.json.encode(made), type=Plan)
        assert settle(again, now(made)) == settle(made, now(made))
        assert explain(again, now(made)) == explain(made, now(made))


@UNHURRIED
@given(request=requests(), ready=customers())
def test_the_order_of_keys_does_not_matter(request: WriteRequest, ready: Rules) -> None:
    turned = msgspec.convert(msgspec.to_builtins(request), WriteRequest)
    for record in records_of(turned):
        reversed_items = list(record.items())[::-1]
        record.clear()
        record.update(reversed_items)
    one, other = attempt(request, ready), attempt(turned, ready)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert settle(one, now(one)) == settle(other, now(other))
        assert one.needs == other.needs


@UNHURRIED
@given(request=requests(), ready=customers(), known=st.booleans())
def test_every_field_is_accounted_for(request: WriteRequest, ready: Rules, *, known: bool) -> None:
    made = attempt(request, ready)
    if made is None:
        return
    told = explain(made, now(made) if known else ())
    assert told.change == settle(made, now(made) if known else ())
    for asked, changed, each in zip(records_of(request), told.change.records, told.records, strict=True):
        inputs = {entry.name for entry in each.inputs}
        assert {member(name) for name in asked} <= {member(name) for name in inputs} | inputs
        sent_fields = {entry.field for entry in each.fields if entry.fate in {"sent", "pending"}}
        assert {member(name) for name in changed.fields} <= {member(name) for name in sent_fields} | sent_fields
        certain = {entry.field for entry in each.fields if entry.fate == "sent"}
        assert {member(name) for name in certain} <= {member(name) for name in changed.fields}
        assert all(entry.because for entry in each.inputs)
        assert all(entry.because for entry in each.fields)


def test_the_order_of_the_rules_is_one_tuple() -> None:
    names = [rule.__name__.rpartition(".")[2] for rule in ORDER]  # type: ignore[attr-defined]
    assert names == ["mapping", "spelling", "values", "defaults", "overwrite", "unmapped"]


def test_everything_but_the_records_passes_untouched() -> None:
    associations = [
        {"to": {"id": "1"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}
    ]
    headers = [{"key": "Sforce-Auto-Assign", "value": "FALSE"}]
    single = settle(plan(ask("create", {"x": 1}, associations=associations, headers=headers), rules()))
    assert single.records[0].associations == associations
    assert [(header.key, header.value) for header in single.headers] == [("Sforce-Auto-Assign", "FALSE")]
    assert (single.batch, single.all_or_none) == (False, False)
    batch = [{"record": {"x": 1}, "associations": associations}, {"record": {"x": 2}}]
    many = settle(plan(ask("create", batch=batch, batchPolicy={"allOrNone": True}), rules()))
    assert [record.associations for record in many.records] == [associations, msgspec.UNSET]
    assert (many.batch, many.all_or_none) == (True, True)


def test_all_or_none_means_nothing_for_a_single_record() -> None:
    assert not plan(ask("create", {"x": 1}, batchPolicy={"allOrNone": True}), rules()).all_or_none


def test_every_issue_of_every_record_is_told() -> None:
    ready = rules({"fieldMappings": [{"fieldName": "Email", "mapToName": "mail"}]})
    batch = [
        {"record": {"mail": 1, "Email": 2}},
        {"record": {"id": "1"}},
        {"record": {"id": "1", "mail": 1, "Email": 2}},
    ]
    with pytest.raises(InvalidInput) as caught:
        plan(ask("update", batch=batch, headers=[{"key": "Host", "value": "x"}]), ready)
    assert [issue.path for issue in caught.value.issues] == [
        "headers[0].key",
        "batch[0].record.id",
        "batch[0].record.mail",
        "batch[2].record.mail",
        "batch[2].record.id",
    ]


def test_a_batch_of_records_needs_one_list_of_fields_and_is_settled_one_by_one() -> None:
    setting = {"selectedFieldSettings": {"x": {"writeOnUpdate": "ifEmpty"}, "y": {"writeOnUpdate": "ifEmpty"}}}
    batch = [{"record": {"id": "1", "x": 1}}, {"record": {"id": "2", "y": 2}}, {"record": {"id": "3", "x": 3, "y": 4}}]
    made = plan(ask("update", batch=batch), rules(chosen=setting))
    assert made.needs == ("x", "y")
    current = [Current(id="1", fields={"x": "there"}), None, Current(id="3", fields={"y": "there"})]
    assert [record.fields for record in settle(made, current).records] == [{}, {"y": 2}, {"x": 3}]


def test_the_current_records_must_be_aligned() -> None:
    with pytest.raises(ValueError, match="2 current"):
        settle(plan(ask("create", {"x": 1}), rules()), [None, None])


def test_an_upsert_that_found_its_record_carries_the_id() -> None:
    made = plan(ask("upsert", {"key": "k"}, matchKey="key"), rules())
    assert [settle(made, current).records[0].id for current in ([Current(id="9", fields={})], [None], [])] == [
        "9",
        None,
        None,
    ]


def test_a_legacy_default_waits_for_the_upsert_to_find_its_record() -> None:
    ready = rules(
        {"upsertKeys": ["key"]}, chosen={"selectedValueDefaults": {"f": {"value": 1, "applyOnUpdate": "never"}}}
    )
    assert sent(ready, "upsert", {"key": "k"}, {"f": ""}) == {"key": "k"}
    assert sent(ready, "upsert", {"key": "k"}) == {"key": "k", "f": 1}
    assert sent(ready, "upsert", {"key": "k", "f": 2}, {}) == {"key": "k", "f": 2}


def test_a_record_64_levels_deep_passes() -> None:
    deep: Any = "x"
    for _ in range(64):
        deep = {"a": [deep]}
    ready = rules(
        {"fieldMappings": [{"fieldName": "$['a']['b']", "mapToName": "m"}, {"fieldName": "D", "mapToName": "d"}]}
    )
    assert sent(ready, "create", {"d": deep, "D": deep}) == {"D": deep}
