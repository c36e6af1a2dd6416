import re
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.mask import apply_mask, masked
from installations.shape import decode

DATA: dict[str, Any] = {
    "provider": "hubspot",
    "read": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "schedule": "0 * * * *",
                "selectedFields": {"email": True, "fax": True},
                "selectedFieldMappings": {"phone": "hs_phone"},
            },
            "deals": {"objectName": "deals", "selectedFields": {"a": True}, "selectedFieldMappings": {}},
        }
    },
    "write": {
        "objects": {
            "contacts": {
                "objectName": "contacts",
                "selectedFieldSettings": {
                    "source": {"default": {"stringValue": "web"}},
                    "rate": {"default": {"floatValue": 1.5}, "writeOnUpdate": "never"},
                },
                "deletionSettings": {"enabled": True},
                "inheritMapping": True,
                "selectedFieldMappings": {"note": "note_c"},
                "selectedValueMappings": {"stage": {"open": "1"}},
                "removeUnmappedFields": True,
            },
            "job.appointments": {"objectName": "job.appointments"},
        }
    },
    "proxy": {"enabled": False},
}
CURRENT = decode(DATA, ConfigContent)
OURS = {
    "inheritMapping": True,
    "selectedFieldMappings": {"note": "note_c"},
    "selectedValueMappings": {"stage": {"open": "1"}},
    "removeUnmappedFields": True,
}


def changed(*steps: str, to: Any) -> dict[str, Any]:
    """Give the current content with one node replaced, or removed if it becomes `UNSET`."""
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CURRENT))
    node = data
    for step in steps[:-1]:
        node = node.setdefault(step, {})
    node[steps[-1]] = to
    return data


def content(**members: Any) -> dict[str, Any]:
    return {"config": {"content": members}}


def read(**objects: Any) -> dict[str, Any]:
    return content(read={"objects": objects})


def write(objects: Any) -> dict[str, Any]:
    return content(write={"objects": objects})


NEW = {"objectName": "contacts", "selectedFields": {"email": True}}

REPLACED: list[tuple[str, str, Any, dict[str, Any]]] = [
    (
        "one read object is replaced, not merged",
        "config.content.read.objects.contacts",
        read(contacts=NEW),
        changed("read", "objects", "contacts", to=NEW),
    ),
    (
        "a new read object comes in",
        "config.content.read.objects.users",
        read(users={}, contacts=NEW),
        changed("read", "objects", "users", to={}),
    ),
    (
        "what stands outside the mask is ignored",
        "config.content.read.objects.deals",
        {
            "connectionId": "c",
            "projectId": 5,
            **content(provider="x", read={"objects": {"deals": {}, "contacts": 7}}, proxy=9),
        },
        changed("read", "objects", "deals", to={}),
    ),
    (
        "one member is replaced",
        "config.content.read.objects.contacts.disabled",
        read(contacts={"disabled": True, "schedule": "no"}),
        changed("read", "objects", "contacts", to={**DATA["read"]["objects"]["contacts"], "disabled": True}),
    ),
    (
        "one member is taken away",
        "config.content.read.objects.contacts.schedule",
        read(contacts={"schedule": None}),
        changed("read", "objects", "contacts", to={**DATA["read"]["objects"]["contacts"], "schedule": None}),
    ),
    (
        "the whole map of read objects, as ours",
        "config.content.read.objects",
        read(deals={}),
        changed("read", "objects", to={"deals": {}}),
    ),
    ("no object is written any more", "config.content.write.objects", write({}), changed("write", "objects", to={})),
    (
        "the whole map of write objects keeps our members",
        "config.content.write.objects",
        write({"contacts": {"objectName": "contacts"}}),
        changed("write", "objects", to={"contacts": {**OURS, "objectName": "contacts"}}),
    ),
    (
        "a write object keeps our members",
        "config.content.write.objects.contacts",
        write({"contacts": {"objectName": "contacts", "deletionSettings": {"enabled": False}}}),
        changed(
            "write",
            "objects",
            "contacts",
            to={**OURS, "objectName": "contacts", "deletionSettings": {"enabled": False}},
        ),
    ),
    (
        "our members are replaced and removed by name",
        "config.content.write.objects.contacts",
        write(
            {
                "contacts": {
                    "inheritMapping": False,
                    "selectedFieldMappings": {},
                    "selectedValueMappings": None,
                    "removeUnmappedFields": False,
                }
            }
        ),
        changed("write", "objects", "contacts", to={"inheritMapping": False, "removeUnmappedFields": False}),
    ),
    (
        "a default that published clients drop survives, others do not",
        "config.content.write.objects.contacts",
        write({"contacts": {"selectedFieldSettings": {"rate": {"default": {}}, "source": {"default": {}}}}}),
        changed(
            "write",
            "objects",
            "contacts",
            to={**OURS, "selectedFieldSettings": {"rate": {"default": {"floatValue": 1.5}}, "source": {"default": {}}}},
        ),
    ),
    (
        "a name with a dot, escaped",
        r"config.content.write.objects.job\.appointments",
        write({"job.appointments": {"deletionSettings": {"enabled": True}}}),
        changed("write", "objects", "job.appointments", to={"deletionSettings": {"enabled": True}}),
    ),
    (
        "a name with a dot, as the published client sends it",
        "config.content.write.objects.job.appointments",
        write({"job.appointments": {"deletionSettings": {"enabled": True}}}),
        changed("write", "objects", "job.appointments", to={"deletionSettings": {"enabled": True}}),
    ),
    (
        "the longest name wins",
        "config.content.read.objects.contacts.disabled",
        read(**{"contacts": {"disabled": True}, "contacts.disabled": {"objectName": "odd"}}),
        changed("read", "objects", "contacts.disabled", to={"objectName": "odd"}),
    ),
    (
        "the first subscription",
        "config.content.subscribe.objects.contacts",
        content(subscribe={"objects": {"contacts": {"objectName": "contacts"}}}),
        changed("subscribe", "objects", to={"contacts": {"objectName": "contacts"}}),
    ),
    ("proxy", "config.content.proxy.enabled", content(proxy={"enabled": True}), changed("proxy", "enabled", to=True)),
    (
        "proxy off",
        "config.content.proxy.enabled",
        content(proxy={"enabled": False}),
        changed("proxy", "enabled", to=False),
    ),
]


@pytest.mark.parametrize(("case", "path", "submitted", "expected"), REPLACED, ids=[case for case, *_ in REPLACED])
def test_a_path_replaces_its_node(case: str, path: str, submitted: Any, expected: dict[str, Any]) -> None:
    update = apply_mask(CURRENT, [path], submitted)
    assert update.content == expected, case
    assert (update.connection_id, update.created_by) == (UNSET, UNSET)


def test_other_members_of_the_installation_are_updated_alone() -> None:
    submitted = {"connectionId": "c2", "config": {"createdBy": "consumer:x", "content": {"read": 5}}}
    update = apply_mask(CURRENT, ["connectionId", "config.createdBy"], submitted)
    assert (update.connection_id, update.created_by, update.content) == ("c2", "consumer:x", UNSET)


def test_the_mask_of_the_published_client_is_understood() -> None:
    draft = {"read": {"objects": {"contacts": NEW}}, "write": {"objects": {"contacts": {}}}, "provider": "hubspot"}
    mask = ["config.content.write.objects", "config.content.read.objects.contacts"]
    expected = changed("read", "objects", "contacts", to=NEW)
    expected["write"]["objects"] = {"contacts": OURS}
    assert apply_mask(CURRENT, mask, {"config": {"content": draft, "createdBy": "x"}}).content == expected


REFUSED: list[tuple[list[str], Any, list[tuple[str, str]]]] = [
    ([], {}, [("updateMask", "required")]),
    (["connectionId"], {}, [("updateMask[0]", "no-value")]),
    (["connectionId"], {"connectionId": ""}, [("installation.connectionId", "wrong-type")]),
    (["connectionId"], {"connectionId": {}}, [("installation.connectionId", "wrong-type")]),
    (["config.content.read.objects.contacts"], read(deals={}), [("updateMask[0]", "no-value")]),
    (["config.content.read.objects.contacts"], read(contacts=None), [("updateMask[0]", "no-value")]),
    (["config.content.read.objects.contacts.disabled"], read(contacts={}), [("updateMask[0]", "no-value")]),
    (["config.content.read.objects.users.disabled"], read(users={"disabled": True}), [("updateMask[0]", "no-value")]),
    (["config.content.read.objects.contacts.nope"], read(contacts={"nope": 1}), [("updateMask[0]", "unknown-path")]),
    (
        ["config.content.read.objects.contacts.objectName"],
        read(contacts={"objectName": "x"}),
        [("updateMask[0]", "unknown-path")],
    ),
    (["config.content.write.objects"], content(write={}), [("updateMask[0]", "no-value")]),
    (["config.content.write.objects.contacts"], content(write={"objects": []}), [("updateMask[0]", "no-value")]),
    (["config.content.proxy.enabled"], {"config": 5}, [("updateMask[0]", "no-value")]),
    (
        [
            "",
            "*",
            "config",
            "config.content",
            "config.content.provider",
            "config.content.read",
            "config.content.read.objects.",
        ],
        content(read={}),
        [(f"updateMask[{index}]", "unknown-path") for index in range(7)],
    ),
    (["x", "connectionId"], {}, [("updateMask[0]", "unknown-path"), ("updateMask[1]", "no-value")]),
]


@pytest.mark.parametrize(("mask", "submitted", "expected"), REFUSED)
def test_paths_without_value_or_meaning_are_refused(
    mask: list[str], submitted: Any, expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        apply_mask(CURRENT, mask, submitted)
    assert [(issue.path, issue.code) for issue in refused.value.issues] == expected


def test_an_unknown_path_names_the_allowed_ones() -> None:
    with pytest.raises(InvalidInput) as refused:
        apply_mask(CURRENT, ["config.content.provider"], {})
    assert "config.content.proxy.enabled" in str(refused.value.issues[0].remedy)


def test_a_name_that_ends_like_a_member_is_still_a_name() -> None:
    objects = {each: {"objectName": each} for each in (".", "\\")}
    update = apply_mask(CURRENT, ["config.content.read.objects.\\."], content(read={"objects": objects}))
    assert update.content is not UNSET
    assert update.content["read"]["objects"]["."] == objects["."]
    assert "\\" not in update.content["read"]["objects"]


NAMES = st.text(st.sampled_from("ab.:/\\ "), min_size=1, max_size=6)


@given(st.dictionaries(NAMES, st.none(), min_size=1, max_size=4), st.booleans(), st.data())
def test_any_object_is_replaced_by_its_name_alone(names: dict[str, None], escape: bool, data: st.DataObject) -> None:  # noqa: FBT001 -- drawn
    name = data.draw(st.sampled_from(sorted(names)))
    spelled = re.sub(r"([.:/\\])", r"\\\1", name) if escape else name
    objects = {each: {"objectName": each, "schedule": each} for each in names}
    update = apply_mask(CURRENT, [f"config.content.read.objects.{spelled}"], content(read={"objects": objects}))
    got = update.content["read"]["objects"] if update.content is not UNSET else {}
    changes = {key: value for key, value in got.items() if value != DATA["read"]["objects"].get(key)}
    assert len(changes) == 1
    if not escape:
        assert changes == {name: objects[name]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["config", "content", "read", "write", "objects", "contacts"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
PATHS = st.sampled_from(
    [
        "connectionId",
        "config.content.read.objects.contacts",
        "config.content.write.objects",
        "config.content.proxy.enabled",
    ]
) | st.text(max_size=20)


@given(st.lists(PATHS, max_size=3), JSON)
def test_any_mask_is_applied_or_refused(mask: list[str], submitted: Any) -> None:
    with suppress(InvalidInput):
        apply_mask(CURRENT, mask, submitted)


MEMBERS = ("label", "active", "metadata", "metadata.*")
FLAT: list[tuple[list[str], Any, dict[str, Any]]] = [
    (["label", "active"], {"label": "a", "active": False, "scopes": ["full"]}, {"label": "a", "active": False}),
    (["metadata"], {"metadata": {"a": 1}}, {"metadata": {"a": 1}}),
    (["metadata.url"], {"metadata": {"url": "u"}}, {"metadata.url": "u"}),
    ([r"metadata.a\.b"], {"metadata": {"a.b": 1}}, {"metadata.a.b": 1}),
    (["metadata.a.b"], {"metadata": {"a.b": 1}}, {"metadata.a.b": 1}),
    (["metadata.a"], {"metadata": {"a": None}}, {"metadata.a": None}),
]


@pytest.mark.parametrize(("mask", "submitted", "expected"), FLAT)
def test_flat_resources_have_masks_too(mask: list[str], submitted: Any, expected: dict[str, Any]) -> None:
    assert masked(MEMBERS, mask, submitted) == expected


@pytest.mark.parametrize(
    ("mask", "code"),
    [
        ([], "required"),
        (["nope"], "unknown-path"),
        (["label"], "no-value"),
        (["label.x"], "unknown-path"),
        (["metadata.x"], "no-value"),
    ],
)
def test_flat_masks_are_refused_likewise(mask: list[str], code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        masked(MEMBERS, mask, {"metadata": {}})
    assert [issue.code for issue in refused.value.issues] == [code]
