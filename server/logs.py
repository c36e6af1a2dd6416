"""Events: facts with a dotted past-tense name and fields, one JSON object a line. Never record values or secrets."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

_QUIET = ("httpx", "httpcore", "aiohttp", "asyncio", "uvicorn", "pgqueuer")
"""Libraries whose lines below a warning would carry URLs, and with them what people put there."""
_MENTION = re.compile(r"[<(:{\n]")
"""Where a library's words end and the values that it mentions begin."""


class _Lines(logging.Handler):
    """Writes our lines straight away, since a `LogRecord` costs more than the line, and the libraries' as they come."""

    def write(self, level: int, name: str, fields: Mapping[str, Any]) -> None:
        line = {"time": datetime.now(UTC), "level": logging.getLevelName(level).lower(), "event": name, **fields}
        sys.stderr.write(f"{msgspec.json.encode(line, enc_hook=str).decode()}\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Write what a library says, without what it mentions: arguments and errors may hold anything.

        asyncio, for one, quotes the text of an exception that nobody waited for.
        """
        said = _MENTION.split(str(record.msg), maxsplit=1)[0].strip()
        error = record.exc_info[1] if record.exc_info else None
        self.write(record.levelno, "library.spoke", {"library": record.name, "said": said, **_places(error)})


_lines = _Lines(level=logging.WARNING)


def event(name: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Record a fact, such as ``write.delivered``. Fields are identifiers, counts and kinds; never contents."""
    if level >= _lines.level:
        _lines.write(level, name, fields)


def failed(name: str, error: BaseException, **fields: Any) -> None:
    """Record an unforeseen error: its class and where it came from. Its text may hold secrets and stays out."""
    event(name, level=logging.ERROR, **_places(error), **fields)


def _places(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return {
        "error": type(error).__name__,
        "trace": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


def start_logging(*, level: int = logging.INFO) -> None:
    """Send events and the libraries' lines of this level to standard error. Called once, by a command that serves."""
    _lines.setLevel(level)
    logging.basicConfig(level=level, handlers=[_lines], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
