"""Configs and edits of every kind, for properties: odd names, all members, nothing left out."""

from typing import Any

from hypothesis import strategies as st

from headless.edits import Edit, parse_edits
from installations.config import ConfigContent
from installations.manifest import IntegrationSpec
from installations.shape import decode

OBJECTS = ("contacts", "deals", "job.appointments", "contacts.disabled", "a\\.b", "__proto__")
FIELDS = ("email", "phone", "job.title", "$['a']['b']", "__proto__", 'say "hi"')
SPEC = decode(
    {
        "name": "crm",
        "provider": "hubspot",
        "read": {
            "objects": [
                {
                    "objectName": name,
                    "requiredFields": [{"fieldName": "id"}, {"mapToName": "owner", "default": "owner_id"}],
                    "optionalFields": [{"mapToName": "source"}],
                }
                for name in OBJECTS
            ]
        },
        "write": {"objects": [{"objectName": name} for name in OBJECTS]},
        "proxy": {"enabled": True},
    },
    IntegrationSpec,
)

names = st.sampled_from(OBJECTS)
fields = st.sampled_from(FIELDS)
words = st.sampled_from(("", "x", "y z"))
switches = st.booleans()
values = st.dictionaries(fields, words, max_size=2)
defaults = st.one_of(
    st.fixed_dictionaries({"stringValue": words}),
    st.fixed_dictionaries({"integerValue": st.integers(-9, 9)}),
    st.fixed_dictionaries({"booleanValue": switches}),
    st.fixed_dictionaries({"floatValue": st.sampled_from((0.5, -2.25))}),
    st.fixed_dictionaries({"listValue": st.lists(words, max_size=2)}),
    st.fixed_dictionaries({"dateValue": st.just("2026-01-31")}),
)
settings = st.fixed_dictionaries(
    {},
    optional={
        "default": defaults,
        "writeOnCreate": st.sampled_from(("always", "never")),
        "writeOnUpdate": st.sampled_from(("always", "never", "ifEmpty")),
    },
)
offers = st.lists(
    st.fixed_dictionaries({"mapToName": fields}, optional={"prompt": words, "fieldName": fields}), max_size=2
)
legacy = st.fixed_dictionaries({"value": words}, optional={"applyOnUpdate": st.just("never")})
read_objects = st.fixed_dictionaries(
    {},
    optional={
        "disabled": switches,
        "selectedFields": st.dictionaries(fields, switches, max_size=3),
        "selectedFieldMappings": st.dictionaries(fields, fields, max_size=3),
        "selectedFieldsAuto": st.just("all"),
        "selectedValueMappings": st.dictionaries(fields, values, max_size=2),
        "dynamicMappingsInput": offers,
    },
)
timed_objects = st.fixed_dictionaries(
    {},
    optional={
        "schedule": st.just("0 * * * *"),
        "destination": words,
        "backfill": st.fixed_dictionaries({"defaultPeriod": st.fixed_dictionaries({"days": st.integers(0, 3)})}),
    },
)
write_objects = st.fixed_dictionaries(
    {},
    optional={
        "selectedFieldSettings": st.dictionaries(fields, settings, max_size=3),
        "deletionSettings": st.fixed_dictionaries({"enabled": switches}),
        "inheritMapping": switches,
        "selectedFieldMappings": st.dictionaries(fields, fields, max_size=2),
        "selectedValueMappings": st.dictionaries(fields, values, max_size=2),
        "removeUnmappedFields": switches,
    },
)
old_objects = st.fixed_dictionaries({}, optional={"selectedValueDefaults": st.dictionaries(fields, legacy, max_size=2)})
watched_objects = st.fixed_dictionaries(
    {"inheritFieldsAndMappings": switches},
    optional={"destination": words, "createEvent": st.fixed_dictionaries({"enabled": st.just("always")})},
)


def _sections(each: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    named = st.dictionaries(names, each, max_size=3)
    return named.map(lambda found: {"objects": {name: {"objectName": name, **each} for name, each in found.items()}})


def _both(
    one: st.SearchStrategy[dict[str, Any]], other: st.SearchStrategy[dict[str, Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(one, other).map(lambda pair: {**pair[0], **pair[1]})


def _contents(**sections: st.SearchStrategy[Any]) -> st.SearchStrategy[ConfigContent]:
    proxy = st.fixed_dictionaries({"enabled": switches})
    return st.fixed_dictionaries({"provider": st.just("hubspot")}, optional={**sections, "proxy": proxy}).map(
        lambda data: decode(data, ConfigContent)
    )


contents = _contents(
    read=_sections(_both(read_objects, timed_objects)),
    write=_sections(_both(write_objects, old_objects)),
    subscribe=_sections(watched_objects),
)
"""Every member that a config can have."""

chosen = _contents(read=_sections(read_objects), write=_sections(write_objects))
"""What edits alone can make."""

_on_write = st.just("write") | st.just("read")
_members: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "enableRead": {},
    "disableRead": {},
    "selectField": {"fieldName": fields, "selected": switches},
    "selectAllFields": {"selected": switches},
    "mapField": {"mapToName": fields, "fieldName": fields, "action": _on_write},
    "unmapField": {"mapToName": fields, "action": _on_write},
    "mapValues": {"fieldName": fields, "values": values, "action": _on_write},
    "offerMappings": {"mappings": offers},
    "enableWrite": {},
    "disableWrite": {},
    "setFieldSettings": {"fieldName": fields, "settings": st.none() | settings},
    "setDefault": {"fieldName": fields, "value": st.none() | defaults},
    "setWriteOnCreate": {"fieldName": fields, "value": st.none() | st.sampled_from(("always", "never"))},
    "setWriteOnUpdate": {"fieldName": fields, "value": st.none() | st.sampled_from(("never", "ifEmpty"))},
    "enableDeletion": {},
    "disableDeletion": {},
    "setInheritMapping": {"inherit": st.none() | switches},
    "setRemoveUnmappedFields": {"remove": st.none() | switches},
    "removeObject": {},
}
edits: st.SearchStrategy[Edit] = st.one_of(
    *(
        st.fixed_dictionaries({"edit": st.just(tag), "objectName": names, **members})
        for tag, members in _members.items()
    ),
    st.fixed_dictionaries({"edit": st.sampled_from(("enableProxy", "disableProxy"))}),
).map(lambda data: parse_edits([data])[0])
