"""As much SOQL as a look-up needs: fields, one object, equalities and ``IN`` joined by AND or OR, a limit.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm
"""

import re
from dataclasses import dataclass
from typing import Any

_TOKENS = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\\n\r]|\\.)*')
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<mark>!=|<>|[=(),])
    )""",
    re.VERBOSE,
)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}


class MalformedQuery(Exception):
    """The text is no query of this subset."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One comparison: the field has (or has not) one of the values."""

    field: str
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True, kw_only=True)
class Query:
    """A parsed query. ``where`` is a disjunction of conjunctions."""

    fields: tuple[str, ...]
    object_name: str
    where: tuple[tuple[Condition, ...], ...]
    limit: int


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = _split(text)

    def peek(self) -> str:
        return self._tokens[0][1].upper() if self._tokens else ""

    def take(self, kind: str = "") -> str:
        if not self._tokens or (kind and self._tokens[0][0] != kind):
            found = self._tokens[0][1] if self._tokens else "<EOF>"
            raise MalformedQuery(f"unexpected token: '{found}'")
        return self._tokens.pop(0)[1]

    def accept(self, word: str) -> bool:
        if self.peek() != word:
            return False
        self.take()
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            self.take("no such kind")

    def literal(self) -> Any:
        kind, text = self._tokens[0] if self._tokens else ("", "")
        self.take()
        if kind == "text":
            return _unescape(text[1:-1])
        if kind == "number":
            return float(text) if "." in text else int(text)
        if text.lower() in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[text.lower()]
        raise MalformedQuery(f"unexpected token: '{text}'")


def parse_query(text: str) -> Query:
    """Parse a query; raises `MalformedQuery`."""
    reader = _Reader(text)
    reader.expect("SELECT")
    fields = [reader.take("word")]
    while reader.accept(","):
        fields.append(reader.take("word"))
    reader.expect("FROM")
    object_name = reader.take("word")
    where = _disjunction(reader) if reader.accept("WHERE") else ((),)
    limit = int(reader.take("number")) if reader.accept("LIMIT") else 2000
    if reader.peek():
        reader.take("no such kind")
    return Query(fields=tuple(fields), object_name=object_name, where=where, limit=limit)


def _disjunction(reader: _Reader) -> tuple[tuple[Condition, ...], ...]:
    parts = [_conjunction(reader)]
    while reader.accept("OR"):
        parts.append(_conjunction(reader))
    return tuple(parts)


def _conjunction(reader: _Reader) -> tuple[Condition, ...]:
    parts = [_condition(reader)]
    while reader.accept("AND"):
        parts.append(_condition(reader))
    return tuple(parts)


def _condition(reader: _Reader) -> Condition:
    field = reader.take("word")
    if reader.accept("IN"):
        reader.expect("(")
        values = [reader.literal()]
        while reader.accept(","):
            values.append(reader.literal())
        reader.expect(")")
        return Condition(field=field, values=tuple(values))
    negated = reader.peek() in {"!=", "<>"}
    if negated:
        reader.take()
    else:
        reader.expect("=")
    return Condition(field=field, values=(reader.literal(),), negated=negated)


def _split(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKENS.match(text, place)
        if match is None or match.lastgroup is None:
            raise MalformedQuery(f"line 1:{place} no viable alternative at character '{text[place]}'")
        tokens.append((match.lastgroup, match.group(match.lastgroup)))
        place = match.end()
    return tokens


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        char = match.group(1)
        if char not in _UNESCAPED:
            raise MalformedQuery(f"Illegal character sequence '\\{char}'")
        return _UNESCAPED[char]

    return re.sub(r"\\(.)", one, text, flags=re.DOTALL)
