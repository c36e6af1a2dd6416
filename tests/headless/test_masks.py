"""That a mask makes what was meant, and names nothing that could be left out."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from msgspec import UNSET

from headless.masks import mask
from headless.meaning import plainest
from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.mask import apply_mask
from installations.shape import decode
from tests.headless.contents import contents

ROOT = "config.content"
CONTACTS: dict[str, Any] = {"objectName": "contacts", "selectedFields": {"a": True}, "selectedFieldMappings": {}}
BOTH = {**CONTACTS, "objectName": "deals"}


def content(**sections: dict[str, dict[str, Any]] | bool) -> ConfigContent:
    data: dict[str, Any] = {"provider": "hubspot"}
    for name, given_ in sections.items():
        data[name] = (
            {"enabled": given_}
            if isinstance(given_, bool)
            else {"objects": {key: {"objectName": key, **each} for key, each in given_.items()}}
        )
    return decode(data, ConfigContent)


def patched(before: ConfigContent, paths: tuple[str, ...], sent: dict[str, Any]) -> ConfigContent:
    """Send them, as a PATCH does."""
    if not paths:
        return before
    update = apply_mask(before, paths, {"config": {"content": sent}})
    return decode(update.content, ConfigContent)


DEALS = {"deals": {"deletionSettings": {"enabled": True}}}
CASES: list[tuple[str, ConfigContent, ConfigContent, list[str], dict[str, Any]]] = [
    ("nothing changed", content(read={"contacts": CONTACTS}), content(read={"contacts": CONTACTS}), [], {}),
    (
        "one member of one object",
        content(read={"contacts": CONTACTS, "deals": BOTH}),
        content(read={"contacts": {**CONTACTS, "disabled": True}, "deals": BOTH}),
        ["read.objects.contacts.disabled"],
        {"read": {"objects": {"contacts": {"disabled": True}}}},
    ),
    (
        "a member that is gone",
        content(read={"contacts": {**CONTACTS, "disabled": True}}),
        content(read={"contacts": CONTACTS}),
        ["read.objects.contacts.disabled"],
        {"read": {"objects": {"contacts": {"disabled": None}}}},
    ),
    (
        "a new object",
        content(write={"contacts": {}}),
        content(write={"contacts": {}, **DEALS}),
        ["write.objects.deals"],
        {"write": {"objects": {"deals": {"objectName": "deals", **DEALS["deals"]}}}},
    ),
    (
        "an object that is gone: the whole map, with the members that the server would carry over",
        content(write={"contacts": {"inheritMapping": True}, **DEALS}),
        content(write={"contacts": {}}),
        ["write.objects"],
        {"write": {"objects": {"contacts": {"objectName": "contacts", "inheritMapping": None}}}},
    ),
    (
        "a read object that is gone",
        content(read={"a": {}}),
        content(read={}),
        ["read.objects"],
        {"read": {"objects": {}}},
    ),
    ("nothing was said about writing", content(), content(write={}), ["write.objects"], {"write": {"objects": {}}}),
    (
        "a name with a dot",
        content(read={"job.title": CONTACTS}),
        content(read={"job.title": {**CONTACTS, "disabled": True}}),
        [r"read.objects.job\.title.disabled"],
        {"read": {"objects": {"job.title": {"disabled": True}}}},
    ),
    ("proxy calls", content(), content(proxy=True), ["proxy.enabled"], {"proxy": {"enabled": True}}),
    ("no proxy calls any more", content(proxy=True), content(), ["proxy.enabled"], {"proxy": {"enabled": False}}),
    ("what means the same", content(proxy=False, read={}), content(), [], {}),
    (
        "nothing said about watching any more",
        content(subscribe={"a": {}}),
        content(),
        ["subscribe.objects"],
        {"subscribe": {"objects": {}}},
    ),
]


@pytest.mark.parametrize(("case", "before", "after", "paths", "sent"), CASES, ids=[case for case, *_ in CASES])
def test_a_mask_names_what_changed(
    case: str, before: ConfigContent, after: ConfigContent, paths: list[str], sent: dict[str, Any]
) -> None:
    assert mask(before, after) == (tuple(f"{ROOT}.{path}" for path in paths), sent), case
    assert plainest(patched(before, *mask(before, after))) == plainest(after)


def test_a_path_that_would_be_read_as_another_object_is_not_used() -> None:
    before = content(read={"a": {}, "a.disabled": {}})
    after = content(read={"a": {"disabled": True}, "a.disabled": {"disabled": True}})
    paths, sent = mask(before, after)
    assert plainest(patched(before, paths, sent)) == after
    assert f"{ROOT}.read.objects.a.disabled" not in paths


def test_many_changes_are_said_by_object() -> None:
    many = {f"o{n}": {"schedule": "0 * * * *", "disabled": True} for n in range(20)}
    before = content(read={name: {} for name in many})
    paths, sent = mask(before, content(read=many))
    assert paths == tuple(f"{ROOT}.read.objects.{name}" for name in many)
    assert patched(before, paths, sent) == content(read=many)


def test_very_many_are_said_at_once() -> None:
    many = {f"o{n}": {"disabled": True} for n in range(500)}
    before = content(read={name: {} for name in many})
    paths, sent = mask(before, content(read=many))
    assert paths == (f"{ROOT}.read.objects",)
    assert patched(before, paths, sent) == content(read=many)


def test_what_no_mask_does_is_told_all_at_once() -> None:
    after = msgspec.structs.replace(content(), provider="salesforce")
    with pytest.raises(InvalidInput) as refused:
        mask(content(write={}), after)
    assert [issue.path for issue in refused.value.issues] == [f"{ROOT}.provider", f"{ROOT}.write"]


@given(contents, contents)
def test_a_mask_makes_one_config_into_any_other(before: ConfigContent, after: ConfigContent) -> None:
    assume(before.write is UNSET or after.write is not UNSET)
    paths, sent = mask(before, after)
    assert plainest(patched(before, paths, sent)) == plainest(after)
    assert len(paths) <= 100


@given(contents, contents)
def test_no_path_could_be_left_out(before: ConfigContent, after: ConfigContent) -> None:
    assume(before.write is UNSET or after.write is not UNSET)
    paths, sent = mask(before, after)
    for index in range(len(paths)):
        fewer = (*paths[:index], *paths[index + 1 :])
        assert plainest(patched(before, fewer, sent)) != plainest(after)


@given(contents, contents)
def test_what_is_not_named_is_not_sent(before: ConfigContent, after: ConfigContent) -> None:
    assume(before.write is UNSET or after.write is not UNSET)
    paths, sent = mask(before, after)
    named = {match[1] for path in paths if (match := re.match(r"config\.content\.(\w+)", path))}
    assert set(sent) == named
