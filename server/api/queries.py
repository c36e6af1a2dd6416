"""What a query may say: each parameter of a route, the values it takes, and names that are nearly its own.

The handlers' signatures are the only source, as they are of our OpenAPI document, so that a new parameter is judged as
it is described. Names that resemble none of ours are ignored: published clients send some that mean nothing here.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from litestar import Request
from litestar.enums import ParamType
from litestar.handlers import BaseRouteHandler
from litestar.params import ParameterKwarg
from litestar.typing import FieldDefinition
from msgspec import UNSET, Meta, UnsetType

from installations.errors import Issue
from installations.slips import near_name
from server.api.bodies import Malformed

TIME = "must be an RFC 3339 time with its zone, such as 2026-11-22T07:00:00Z"
_LONGEST_SHOWN = 255
"""Characters of a value that a problem repeats."""


class Queries:
    """Judges queries before handlers see them."""

    def __init__(self) -> None:
        self._known: dict[BaseRouteHandler, dict[str, FieldDefinition]] = {}

    async def check(self, request: Request[Any, Any, Any]) -> None:
        """Raise `Malformed` with all that is wrong with a request's query."""
        handler = request.scope["route_handler"]
        known = self._known.get(handler)
        if known is None:
            known = self._known[handler] = parameters_of(handler)
        if known and (issues := list(query_issues(request.query_params, known))):
            raise Malformed(issues)


def parameters_of(handler: BaseRouteHandler) -> dict[str, FieldDefinition]:
    """List what a handler, and what it depends on, reads from the query, by public names."""
    found: dict[str, FieldDefinition] = {}
    provided = handler.resolve_dependencies()
    waiting: list[Mapping[str, FieldDefinition]] = [handler.parsed_fn_signature.parameters]
    seen: set[str] = set()
    while waiting:
        for name, field in waiting.pop().items():
            public = _public_name(field)
            if public is not None:
                found[public] = field
            elif name in provided and name not in seen:
                seen.add(name)
                waiting.append(provided[name].parsed_fn_signature.parameters)
    return found


def _public_name(field: FieldDefinition) -> str | None:
    """Name a query parameter; anything else has no name here."""
    definition = field.kwarg_definition
    if not _is_marked(field) or not isinstance(definition, ParameterKwarg):
        return None
    return (definition.name or field.name) if definition.param_type == ParamType.QUERY else None


def _is_marked(field: FieldDefinition) -> bool:
    # What is injected by name has a definition too, but of no particular place.
    return type(field.kwarg_definition) is not ParameterKwarg


def query_issues(given: Mapping[str, str], known: Mapping[str, FieldDefinition]) -> Iterator[Issue]:
    """Compare a query with what is known; every difference that matters."""
    for name, field in known.items():
        if name in given:
            yield from _value_issues(given[name], field, path=f"query.{name}")
        elif not field.has_default:
            yield Issue(path=f"query.{name}", message="is required", code="required")
    for name in given:
        if name not in known and (near := near_name(name, known)):
            remedy = f"did you mean {near}?"
            yield Issue(path=f"query.{name}", code="unknown-member", message="is not known here", remedy=remedy)


def no_such_page(page_token: str) -> Malformed:
    """Build the error for a page token that none of a list's pages ended with."""
    shown, message = page_token[:_LONGEST_SHOWN], "must be the nextPageToken of a page of this list"
    return Malformed([Issue(path="query.pageToken", message=message, code="bad-parameter", value=shown)])


def _value_issues(text: str, field: FieldDefinition, *, path: str) -> Iterator[Issue]:
    kind = _kind(field)
    code, message = "bad-parameter", ""
    remedy: str | UnsetType = UNSET
    if get_origin(kind) is Literal:
        choices = [choice for choice in get_args(kind) if choice]
        message = "" if text in choices else f"must be one of: {', '.join(choices)}"
        near = get_close_matches(text[:_LONGEST_SHOWN], choices, n=1)
        remedy = f"did you mean {near[0]}?" if message and near else UNSET
    elif kind is bool:
        message = "" if _converts(text, bool) else "must be true or false"
    elif kind is int:
        message = _number_fault(text, field)
    elif kind is datetime:
        message = time_fault(text)
        remedy = "Write + as %2B in a URL." if message and " " in text else UNSET
    else:
        message = _text_fault(text, field)
    if message:
        shown = text[:_LONGEST_SHOWN]
        yield Issue(path=path, message=message, code=code, value=shown, remedy=remedy)


def _kind(field: FieldDefinition) -> Any:
    definition: Any = field.kwarg_definition
    if definition.format == "date-time":
        return datetime
    if not field.is_optional:
        return field.annotation
    return next(inner.annotation for inner in field.inner_types if not inner.is_none_type)


def _number_fault(text: str, field: FieldDefinition) -> str:
    bounds: Any = field.kwarg_definition
    kind = Annotated[int, Meta(ge=bounds.ge, le=bounds.le)]
    return "" if _converts(text, kind) else f"must be a whole number from {bounds.ge} to {bounds.le}"


def time_fault(text: str) -> str:
    """Say what is wrong with a time, if anything: one without its zone, or that no clock shows in UTC, is wrong too."""
    try:
        moment = msgspec.convert(text, datetime)  # strictly: no number of seconds passes for a time
        moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError, ValueError):
        return TIME
    return "" if moment.tzinfo else TIME


def _text_fault(text: str, field: FieldDefinition) -> str:
    bounds: Any = field.kwarg_definition
    least, most = bounds.min_length or 0, bounds.max_length
    if len(text) < least:
        return "must not be empty" if least == 1 else f"must have at least {least} characters"
    return f"must have at most {most} characters" if most is not None and len(text) > most else ""


def _converts(text: str, kind: Any) -> bool:
    try:
        msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        return False
    return True
