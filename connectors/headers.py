"""Which headers may leave: token names, visible ASCII, bounded. Nothing else reaches a transport.

Transports disagree on bad headers: some raise their own error, some a `UnicodeEncodeError`, some send them.
"""

import re
from collections.abc import Sequence

NAME_LIMIT = 256
VALUE_LIMIT = 8 * 1024
COUNT_LIMIT = 100

# RFC 9110, sections 5.1 (token) and 5.5 (field values). Space and tab only inside: a value has no surrounding space.
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"(?:[\x21-\x7e](?:[\x20\t\x21-\x7e]*[\x21-\x7e])?)?")


def header_problem(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Tell what is wrong with the headers of a request, without quoting a value; ``None`` if nothing is."""
    if len(headers) > COUNT_LIMIT:
        return f"there are {len(headers)} headers; at most {COUNT_LIMIT} are sent"
    for name, value in headers:
        problem = _problem(name, value)
        if problem:
            return problem
    return None


def _problem(name: bytes, value: bytes) -> str | None:
    shown = name[:64].decode("ascii", "backslashreplace")
    if len(name) > NAME_LIMIT or not _TOKEN.fullmatch(name):
        return f"the header name {shown!r} is not a token of at most {NAME_LIMIT} characters"
    if len(value) > VALUE_LIMIT:
        return f"the header {shown} is longer than {VALUE_LIMIT} bytes"
    if not _VALUE.fullmatch(value):
        return f"the header {shown} holds characters other than visible ASCII"
    return None
