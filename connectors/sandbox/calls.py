"""A request to the sandbox's API as its endpoints see it, the answer they give, and how bodies are read."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from connectors.sandbox.keys import KeptKeys
from connectors.sandbox.refusals import Refusal, bad_request
from connectors.sandbox.table import Unit
from connectors.sandbox.workspace import Workspace

T = TypeVar("T")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One authenticated request."""

    workspace: Workspace
    access: str
    """``write`` or ``read``."""
    scheme: str
    """How the credential was shown."""
    path: Mapping[str, str]
    """The values of the placeholders in the route."""
    query: Mapping[str, str]
    body: bytes
    unit: Unit
    keys: KeptKeys | None
    """The keys that came before; ``None`` where the sandbox honours none."""
    key: str | None
    """The header ``Idempotency-Key``."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint says; ``body`` is encoded as JSON, and absent if ``None``."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)


Endpoint = Callable[[Call], Answer]
"""A function of the call alone, besides the state in its workspace. Raises `Refusal`."""


def read_body(body: bytes, kind: type[T]) -> T:
    """Decode a JSON body; 400 for anything that is not JSON or not of this shape."""
    try:
        return msgspec.json.decode(body, type=kind)
    except RecursionError as error:
        raise bad_request("The body is nested too deeply.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"The body cannot be read: {error}") from error


def read_count(query: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    """Read a number from 1 to ``most`` from the query."""
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < len(str(most)) + 1 and 1 <= int(text) <= most):
        raise bad_request(f"{name} must be a number from 1 to {most}.")
    return int(text)


def refuse_readers(call: Call) -> None:
    """Raise 403 if the credential may only read."""
    if call.access != "write":
        raise Refusal(403, "forbidden", "This credential may read, but not write.")
