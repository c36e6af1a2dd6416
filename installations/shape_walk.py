"""How data is compared with a type, member by member; the questions about it are asked in `shape`."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Literal

from msgspec import NODEFAULT, UNSET, UnsetType, inspect

from installations.errors import Issue, at
from installations.plain import MAX_DEPTH, number_issues, plain_issues, text_issues

Unknown = Literal["ignore", "warn", "refuse"]
Kind = Literal["null", "true or false", "a whole number", "a number", "a string", "a list", "an object"]

_KINDS: dict[type, Kind] = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_NODES: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
    (inspect.NoneType, "null"),
    (inspect.BoolType, "true or false"),
    (inspect.IntType, "a whole number"),
    (inspect.FloatType, "a number"),
    (_LISTS, "a list"),
    ((inspect.StructType, inspect.DictType), "an object"),
)

_LONGEST_GUESSED = 100
"""Characters of a word that may have been meant for another."""
_MOST_GUESSED = 100
"""Issues, after which nobody guesses any more."""


class Walk:
    """One comparison; it collects issues as it goes."""

    def __init__(self, *, unknown: Unknown, any_case: bool) -> None:
        self.issues: list[Issue] = []
        self._unknown = unknown
        self._any_case = any_case
        self._depth = 0

    def visit(self, data: Any, node: inspect.Type, path: str) -> Any:
        """Compare, and return the data in canonical spelling."""
        if self._depth > MAX_DEPTH:
            return self._refuse(data, path, "too-deep", f"nested deeper than {MAX_DEPTH} levels")
        self._depth += 1
        try:
            return self._visit(data, _bare(node), path)
        finally:
            self._depth -= 1

    def _visit(self, data: Any, node: inspect.Type, path: str) -> Any:
        if isinstance(node, inspect.AnyType | inspect.RawType):
            self.issues += plain_issues(data, path, level=self._depth)
            return data
        member = self._member(data, node, path)
        if member is None:
            return data
        if isinstance(member, inspect.StructType):
            return self._object(data, member, path)
        if isinstance(member, inspect.DictType):
            return self._mapping(data, member, path)
        if isinstance(member, _LISTS):
            return self._list(data, member, path)
        self._leaf(data, member, path)
        return data

    def _member(self, data: Any, node: inspect.Type, path: str) -> inspect.Type | None:
        """Choose the alternative of a union that fits the kind of data; none is an issue."""
        options = [_bare(option) for option in node.types] if isinstance(node, inspect.UnionType) else [node]
        kind = kind_of(data)
        fitting = [option for option in options if kind in _kinds_taken(option)]
        if not fitting:
            wanted = " or ".join(dict.fromkeys(_kind_wanted(option) for option in options))
            message = f"must be {wanted}, not {_fraction(kind, wanted)}"
            self._refuse(data, path, "wrong-type", message, remedy=_remedy(data, wanted))
            return None
        tagged = [o for o in fitting if isinstance(o, inspect.StructType) and o.tag_field]
        if len(tagged) > 1:
            return self._tagged(data, tagged, path)
        # A whole number fits a float too: the exact alternative comes first.
        return next((option for option in fitting if _kind_wanted(option) == kind), fitting[0])

    def _tagged(self, data: Any, options: list[inspect.StructType], path: str) -> inspect.Type | None:
        field = options[0].tag_field or ""
        named = {option.tag: option for option in options}
        tag = data.get(field)
        if isinstance(tag, str | int) and tag in named:
            return named[tag]
        allowed = ", ".join(str(name) for name in named)
        code, said = ("required", "is required") if tag is None else ("not-allowed", "is not known")
        self._refuse(data, at(path, field), code, f"{said}; one of: {allowed}", remedy=self._guess(tag, named))
        return None

    def _object(self, data: Any, node: inspect.StructType, path: str) -> dict[str, Any]:
        given = self._named(data, node, path)
        result: dict[str, Any] = {}
        if node.tag_field and node.tag_field in data:
            result[node.tag_field] = data[node.tag_field]
        for field in node.fields:
            where = at(path, field.encode_name)
            value = given.get(field.encode_name)
            if value is None and not (field.encode_name in given and _takes_null(field.type)):
                if _is_required(field):
                    self._refuse(value, where, "required", "is required")
                continue
            result[field.encode_name] = self.visit(value, field.type, where)
        return result

    def _named(self, data: dict[Any, Any], node: inspect.StructType, path: str) -> dict[str, Any]:
        """Give members their names in the type; the unknown and the doubled are issues."""
        names = {self._fold(field.encode_name): field.encode_name for field in node.fields}
        given: dict[str, Any] = {}
        for key, value in data.items():
            name = names.get(self._fold(str(key)))
            if name is None:
                if key != node.tag_field:
                    unknown: Unknown = "refuse" if node.forbid_unknown_fields else self._unknown
                    self._unknown_member(str(key), sorted(names.values()), path, unknown=unknown)
            elif name in given:
                self._refuse(value, at(path, str(key)), "duplicate-key", f"{name} is given twice")
            else:
                given[name] = value
        return given

    def _fold(self, name: str) -> str:
        return name.lower() if self._any_case else name

    def _unknown_member(self, key: str, names: list[str], path: str, *, unknown: Unknown) -> None:
        if unknown == "ignore":
            return
        near = self._guess(key, names)
        self.issues.append(
            Issue(
                path=at(path, key),
                code="unknown-member",
                message="is not known here" + ("" if unknown == "refuse" else " and is ignored"),
                severity="error" if unknown == "refuse" else "warning",
                remedy=near or f"known here: {', '.join(names)}",
            )
        )

    def _mapping(self, data: Any, node: inspect.DictType, path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in data.items():
            where = at(path, str(key))
            self.issues += text_issues(str(key), where, nul=True)
            if value is not None or _takes_null(node.value_type):
                result[str(key)] = self.visit(value, node.value_type, where)
        return result

    def _list(self, data: Any, node: Any, path: str) -> list[Any]:
        shortest, longest = node.min_length or 0, node.max_length
        if len(data) < shortest or (longest is not None and len(data) > longest):
            limit = f"{shortest} to {longest}" if longest is not None else f"at least {shortest}"
            self._refuse(data, path, "out-of-range", f"must have {limit} entries, not {len(data)}")
        return [self.visit(item, node.item_type, at(path, index)) for index, item in enumerate(data)]

    def _leaf(self, data: Any, node: inspect.Type, path: str) -> None:
        if isinstance(data, str):
            self.issues += text_issues(data, path, nul=True)
        else:
            self.issues += number_issues(data, path)
        for code, message in _leaf_faults(data, node):
            near = self._guess(data, node.values) if isinstance(node, inspect.LiteralType) else UNSET
            self._refuse(data, path, code, message, remedy=near)

    def _guess(self, given: Any, known: Iterable[Any]) -> str | UnsetType:
        """Name the choice that was probably meant; the first slips are worth the work."""
        if not isinstance(given, str) or len(given) > _LONGEST_GUESSED or len(self.issues) > _MOST_GUESSED:
            return UNSET
        close = get_close_matches(given, [str(choice) for choice in known], n=1)
        return f"did you mean {close[0]}?" if close else UNSET

    def _refuse(self, data: Any, path: str, code: str, message: str, *, remedy: str | UnsetType = UNSET) -> Any:
        self.issues.append(Issue(path=path, code=code, message=message, remedy=remedy))
        return data


def kind_of(data: Any) -> Kind | str:
    """Name the kind of a JSON value, for people."""
    return next((_KINDS[base] for base in type(data).__mro__ if base in _KINDS), type(data).__name__)


def _remedy(data: Any, wanted: str) -> str | UnsetType:
    """Name the slips that YAML invites."""
    if wanted == "a string" and isinstance(data, bool | int | float):
        return "put it in quotes"
    if wanted == "true or false" and isinstance(data, str) and data.lower() in {"yes", "no", "on", "off"}:
        return "write true or false"
    return UNSET


def _bare(node: inspect.Type) -> inspect.Type:
    return _bare(node.type) if isinstance(node, inspect.Metadata) else node


def _kind_wanted(node: inspect.Type) -> str:
    return next((kind for classes, kind in _NODES if isinstance(node, classes)), "a string")


def _fraction(kind: str, wanted: str) -> str:
    """Name a number so that it differs from the whole one that was wanted."""
    return "a number with a fraction" if (kind, wanted) == ("a number", "a whole number") else kind


def _kinds_taken(node: inspect.Type) -> set[str]:
    if isinstance(node, inspect.LiteralType):
        return {kind_of(value) for value in node.values}
    wanted = _kind_wanted(node)
    return {wanted, "a whole number"} if wanted == "a number" else {wanted}


def _takes_null(node: inspect.Type) -> bool:
    bare = _bare(node)
    options = bare.types if isinstance(bare, inspect.UnionType) else (bare,)
    return any(isinstance(_bare(option), inspect.NoneType | inspect.AnyType | inspect.RawType) for option in options)


def _is_required(field: inspect.Field) -> bool:
    return field.required and field.default is NODEFAULT and field.default_factory is NODEFAULT


def _leaf_faults(data: Any, node: inspect.Type) -> Iterator[tuple[str, str]]:
    if isinstance(node, inspect.LiteralType) and data not in node.values:
        yield "not-allowed", f"must be one of: {', '.join(str(value) for value in node.values)}"
    if isinstance(node, inspect.IntType | inspect.FloatType):
        yield from _bound_faults(data, node)
    if isinstance(node, inspect.StrType):
        yield from _text_faults(data, node)


def _bound_faults(data: float, node: inspect.IntType | inspect.FloatType) -> Iterator[tuple[str, str]]:
    if node.ge is not None and data < node.ge:
        yield "out-of-range", f"must be at least {node.ge}"
    if node.gt is not None and data <= node.gt:
        yield "out-of-range", f"must be more than {node.gt}"
    if node.le is not None and data > node.le:
        yield "out-of-range", f"must be at most {node.le}"
    if node.lt is not None and data >= node.lt:
        yield "out-of-range", f"must be less than {node.lt}"


def _too_short(least: int) -> str:
    return "must not be empty" if least == 1 else f"must have at least {least} characters"


def _text_faults(data: str, node: inspect.StrType) -> Iterator[tuple[str, str]]:
    if node.min_length is not None and len(data) < node.min_length:
        yield "out-of-range", _too_short(node.min_length)
    if node.max_length is not None and len(data) > node.max_length:
        yield "out-of-range", f"must have at most {node.max_length} characters"
    if node.pattern is not None and not re.search(node.pattern, data):
        yield "invalid-text", f"must match {node.pattern}"
