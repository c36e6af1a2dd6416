"""Which members somebody misspelt: names that a type does not know, and that come near one it does.

Names that resemble nothing are ignored, for published clients may send some that mean nothing here. A member that is
given under its own name was not misspelt, so a newer client's ``recordId`` beside ``record`` is ignored too.
"""

from collections.abc import Collection, Hashable
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache
from typing import Any

from msgspec import inspect

from installations.errors import Issue, Severity, at

_NEAR = 0.72
"""How alike two names are: ``status`` and ``state`` are, ``limit`` and ``pageSize`` are not."""
_LONGEST = 100
"""Characters of a name that may have been meant for another."""
_MOST = 100
"""Unknown members of one document that are looked at."""

_LISTS = (inspect.ListType, inspect.VarTupleType)
Where = tuple[Any, str | int] | None
"""The way to a value, its last step first: cheap to make, since it is hardly ever told."""


def near_name(name: str, known: Collection[str]) -> str | None:
    """Answer which of the known names was probably meant, if one comes near."""
    return _nearest(name, frozenset(known)) if len(name) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _nearest(name: str, known: frozenset[str]) -> str | None:
    # Who sends an unknown member sends it every time.
    return next(iter(get_close_matches(name, sorted(known), n=1, cutoff=_NEAR)), None)


def slips_in(data: Any, kind: Any, *, path: str = "", severity: Severity = "error") -> list[Issue]:
    """List the members of decoded JSON that are nearly ones of a type of ours, each with its path under ``path``.

    Types that refuse unknown members name them by themselves, so they are passed over. What is well spelt costs less
    than a microsecond for each object that has a type. Never raises.
    """
    place = _place_of(kind)
    if place is None:
        return []
    unknown: list[tuple[Where, str, frozenset[str]]] = []
    _visit(data, place, None, unknown)
    if not unknown:
        return []
    judged = [(where, name, near_name(name, known)) for where, name, known in unknown[:_MOST]]
    ignored = " and is ignored" if severity == "warning" else ""
    return [
        Issue(
            path=at(_told(where, path), name),
            code="unknown-member",
            message=f"is not known here{ignored}",
            severity=severity,
            remedy=f"did you mean {near}?",
        )
        for where, name, near in judged
        if near is not None
    ]


class _Members:
    """The members of one of our types, and those whose values have members of their own."""

    def __init__(self, node: inspect.StructType) -> None:
        self.tag_field, self.tag = node.tag_field, node.tag
        self.names = frozenset(field.encode_name for field in node.fields)
        self.known = self.names | {node.tag_field} if node.tag_field else self.names
        self.refuses = node.forbid_unknown_fields
        self._fields = node.fields

    @cached_property
    def inner(self) -> tuple[tuple[str, "_Place"], ...]:
        """List the members to look into."""
        places = ((field.encode_name, _place(field.type)) for field in self._fields)
        return tuple((name, place) for name, place in places if place is not None)


class _Place:
    """What may stand at one place, as far as it has members somewhere inside."""

    def __init__(self, options: list[inspect.Type]) -> None:
        self.structs = tuple(_Members(each) for each in options if isinstance(each, inspect.StructType))
        self.only = self.structs[0] if len(self.structs) == 1 else None
        values = (_place(each.value_type) for each in options if isinstance(each, inspect.DictType))
        items = (_place(each.item_type) for each in options if isinstance(each, _LISTS))
        self.values = next((each for each in values if each is not None), None)
        self.items = next((each for each in items if each is not None), None)

    def members(self, data: dict[str, Any]) -> _Members | None:
        """Choose the type that an object is to have."""
        return self.only or next((each for each in self.structs if data.get(each.tag_field or "") == each.tag), None)


def _place(node: inspect.Type) -> _Place | None:
    bare = _bare(node)
    options = [_bare(each) for each in bare.types] if isinstance(bare, inspect.UnionType) else [bare]
    made = _Place(options)
    return made if made.structs or made.values or made.items else None


def _bare(node: inspect.Type) -> inspect.Type:
    return _bare(node.type) if isinstance(node, inspect.Metadata) else node


@cache
def _place_of(kind: Hashable) -> _Place | None:
    return _place(inspect.type_info(kind))


def _visit(data: Any, place: _Place, where: Where, unknown: list[tuple[Where, str, frozenset[str]]]) -> None:
    """Collect unknown members, each with the names that are still to be had."""
    if isinstance(data, list) and place.items is not None:
        for index, item in enumerate(data):
            _visit(item, place.items, (where, index), unknown)
    if not isinstance(data, dict):
        return
    if place.values is not None:
        for name, value in data.items():
            _visit(value, place.values, (where, str(name)), unknown)
    members = place.members(data)
    if members is None:
        return
    if not (data.keys() <= members.known or members.refuses):
        missing = members.names.difference(data)
        unknown += [(where, name, missing) for name in data if isinstance(name, str) and name not in members.known]
    for name, inner in members.inner:
        if name in data:
            _visit(data[name], inner, (where, name), unknown)


def _told(where: Where, path: str) -> str:
    return path if where is None else at(_told(where[0], path), where[1])
