"""What YAML may stand in an ``amp.yaml``, and on which line: the part of YAML 1.2 that is JSON in other clothes.

PyYAML's events are read, not its values: it would follow YAML 1.1, where ``no`` is false, ``1:30`` is 90 and dates are
objects, and a few lines of aliases would grow to gigabytes. Anchors, aliases, merge keys and tags are refused.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from msgspec import UNSET, UnsetType

from installations.errors import InvalidInput, Issue, at

MAX_BYTES = 256 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 32

# The reader over libyaml is twenty times as fast; PyYAML's wheels have it, a build from source may not.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 400


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A document and where everything in it stands."""

    data: Any
    lines: dict[str, int]
    """1-based, by path in lower case."""

    def line(self, path: str) -> int | UnsetType:
        """Tell the line of a path, or of the nearest thing around it."""
        path = path.lower()
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, UNSET)


def parse_yaml(text: str | bytes) -> Source:
    """Decode one YAML document to plain data.

    Raises:
        InvalidInput: it is too large, no YAML, or uses what is refused here; issues carry lines.
    """
    source = _text(text)
    reader = _Reader()
    try:
        for event in yaml.parse(source, Loader=_LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reader.refuse("invalid-yaml", f"not YAML: {error.problem or error.context}", _line(mark))
    except yaml.YAMLError as error:
        reader.refuse("invalid-yaml", f"not YAML: {str(error).splitlines()[0]}", UNSET)
    except _TooMuch:
        pass
    if not reader.roots and not reader.issues:
        reader.refuse("invalid-yaml", "the document is empty", UNSET)
    if reader.issues:
        raise InvalidInput(reader.issues)
    return Source(data=reader.roots[0], lines=reader.lines)


def _text(text: str | bytes) -> str:
    try:
        encoded = text.encode() if isinstance(text, str) else text
        if len(encoded) > MAX_BYTES:
            raise _single("too-large", f"must be at most {MAX_BYTES // 1024} KB, not {len(encoded) // 1024 + 1} KB")
        decoded = encoded.decode()
    except UnicodeError as error:
        raise _single("invalid-text", "must be UTF-8 text") from error
    if "\0" in decoded:
        raise _single("invalid-text", "must not contain the NUL character")
    return decoded


def _single(code: str, message: str) -> InvalidInput:
    return InvalidInput([Issue(path="", code=code, message=message)])


def _line(mark: Any) -> int | UnsetType:
    return UNSET if mark is None else mark.line + 1


class _TooMuch(Exception):
    """Reading on would help nobody."""


class _Frame:
    """A list or an object that is being read."""

    def __init__(self, path: str, value: list[Any] | dict[str, Any]) -> None:
        self.path = path
        self.value = value
        self.key: str | None = None
        self.key_line: int = 0


class _Reader:
    """Builds data out of events, with a stack of its own instead of recursion."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.lines: dict[str, int] = {}
        self.roots: list[Any] = []
        self._stack: list[_Frame] = []
        self._nodes = 0

    def refuse(self, code: str, message: str, line: int | UnsetType, path: str = "") -> None:
        self.issues.append(Issue(path=path, code=code, message=message, line=line))

    def take(self, event: Any) -> None:
        """Take the next event of the document."""
        if isinstance(event, yaml.DocumentStartEvent) and self.roots:
            self.refuse("invalid-yaml", "only one document is allowed", _line(event.start_mark))
            raise _TooMuch
        if isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)

    def _node(self, event: Any) -> None:
        line = event.start_mark.line + 1
        self._count(line)
        for problem in _refusals(event):
            self.refuse("refused-yaml", problem, line, self._here())
        if self._wants_key():
            self._take_key(event, line)
            return
        path = self._here()
        self._note_line(path, line)
        if isinstance(event, yaml.CollectionStartEvent):
            value: Any = [] if isinstance(event, yaml.SequenceStartEvent) else {}
            self._place(value)
            self._stack.append(_Frame(path, value))
        else:
            self._place(self._scalar(event, path, line))

    def _count(self, line: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self.refuse("too-large", f"must have at most {MAX_NODES} values", line)
            raise _TooMuch
        if len(self._stack) >= MAX_DEPTH:
            self.refuse("too-deep", f"nested deeper than {MAX_DEPTH} levels", line)
            raise _TooMuch

    def _wants_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _here(self) -> str:
        if not self._stack:
            return ""
        frame = self._stack[-1]
        if isinstance(frame.value, list):
            return at(frame.path, len(frame.value))
        return frame.path if frame.key is None else at(frame.path, frame.key)

    def _take_key(self, event: Any, line: int) -> None:
        frame = self._stack[-1]
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse("refused-yaml", "a name must be plain text", line, frame.path)
            raise _TooMuch
        frame.key, frame.key_line = event.value, line
        if event.value == "<<" and event.implicit[0]:
            self.refuse("refused-yaml", "merge keys are not allowed", line, frame.path)
        elif event.value in frame.value:
            self.refuse("duplicate-key", "this name is given twice", line, at(frame.path, event.value))

    def _note_line(self, path: str, line: int) -> None:
        """A member stands where its name stands, even if its value begins on the next line."""
        frame = self._stack[-1] if self._stack else None
        self.lines[path.lower()] = frame.key_line if frame and isinstance(frame.value, dict) else line

    def _place(self, value: Any) -> None:
        if not self._stack:
            self.roots.append(value)
            return
        frame = self._stack[-1]
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key is not None:
            frame.value[frame.key] = value
            frame.key = None

    def _scalar(self, event: Any, path: str, line: int) -> Any:
        if not isinstance(event, yaml.ScalarEvent) or not event.implicit[0]:
            return getattr(event, "value", None)
        if _INFINITE.fullmatch(event.value):
            self.refuse("out-of-range", "must be a finite number", line, path)
        return resolve(event.value)


def _refusals(event: Any) -> Iterator[str]:
    if isinstance(event, yaml.AliasEvent):
        yield "aliases are not allowed; write the value out"
    elif event.anchor is not None:
        yield "anchors are not allowed"
    if getattr(event, "tag", None) not in {None, "!"}:
        yield f"tags such as {event.tag} are not allowed"


def resolve(text: str) -> Any:
    """Read an unquoted scalar by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema)."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _OTHER_BASE.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text
