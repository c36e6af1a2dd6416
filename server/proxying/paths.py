"""Which paths may follow an account's base URL: those that stay below it, however a provider may read them.

Credentials go with the call, so a path must not name another host, nor climb to what lies beside the base. What passes
goes out byte for byte. RFC 3986, sections 3.3 and 5.2.4.
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from server.door.refusals import BadRequest

_VISIBLE = re.compile(rb"[\x21\x22\x24-\x5b\x5d-\x7e]*")
"""No space, control character or byte beyond ASCII; no backslash, which some take for a slash; no fragment."""
_ABSOLUTE = re.compile(rb"/+[A-Za-z][A-Za-z0-9+.-]*:/")
_LONGEST = 32 * 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SEPARATORS = re.compile(r"[/\\]")
_MOST_DECODED = 3
"""How often servers in a row may undo percent-encoding; what is still not stable then is refused."""


def require_below(path: bytes, query: bytes) -> None:
    """Raises `BadRequest` for a path that is not surely below the base, and for a query that is not ASCII text."""
    if len(path) + len(query) > _LONGEST:
        raise BadRequest(f"The path and the query are longer than {_LONGEST} bytes.")
    if b"?" in path or not _VISIBLE.fullmatch(path) or not _VISIBLE.fullmatch(query):
        raise BadRequest("The path and the query must be percent-encoded; backslashes do not belong in them.")
    if path and not path.startswith(b"/"):
        # ``OPTIONS *``; behind a base it would name what lies beside it.
        raise BadRequest("The path must begin with a slash.")
    if path.startswith(b"//") or _ABSOLUTE.match(path):
        raise BadRequest("The path must not name another host; send what follows the provider's base URL.")
    for text in _readings(path):
        if any(part.partition(";")[0] in {".", ".."} for part in _SEPARATORS.split(text)):
            raise BadRequest("The path must not hold dot segments, encoded ones included.")


def _readings(path: bytes) -> list[str]:
    """Answer how the path may be read by servers that undo its encoding, once or several times."""
    readings = [_text(path)]
    if b"%" not in path:
        return readings
    for _ in range(_MOST_DECODED):
        path = unquote_to_bytes(path)
        if _CONTROL.search(_text(path)):
            raise BadRequest("The path holds control characters.")
        readings.append(unicodedata.normalize("NFKC", _text(path)))
    if unquote_to_bytes(path) != path:
        raise BadRequest("The path is percent-encoded too many times.")
    return readings


def _text(path: bytes) -> str:
    try:
        return path.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("The path is not valid UTF-8.") from error
