"""Events: facts with a dotted past-tense name and fields, one JSON object a line. Never record values or secrets."""

import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

_QUIET = ("httpx", "httpcore", "aiohttp", "asyncio", "uvicorn")
"""Libraries whose lines below a warning would carry URLs, and with them what people put there."""


class _Lines(logging.Handler):
    """Writes our lines straight away, since a `LogRecord` costs more than the line, and the libraries' as they come."""

    def write(self, level: int, name: str, fields: Mapping[str, Any]) -> None:
        line = {"time": datetime.now(UTC), "level": logging.getLevelName(level).lower(), "event": name, **fields}
        sys.stderr.write(f"{msgspec.json.encode(line, enc_hook=str).decode()}\n")

    def emit(self, record: logging.LogRecord) -> None:
        self.write(record.levelno, record.getMessage(), getattr(record, "fields", {}))


_lines = _Lines(level=logging.WARNING)


def event(name: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Record a fact, such as ``write.delivered``. Fields are identifiers, counts and kinds; never contents."""
    if level >= _lines.level:
        _lines.write(level, name, fields)


def failed(name: str, error: BaseException, **fields: Any) -> None:
    """Record an unforeseen error: its class and where it came from. Its text may hold secrets and stays out."""
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
    event(name, level=logging.ERROR, error=type(error).__name__, trace=places, **fields)


def start_logging(*, level: int = logging.INFO) -> None:
    """Send events and the libraries' lines of this level to standard error. Called once, by a command that serves."""
    _lines.setLevel(level)
    logging.basicConfig(level=level, handlers=[_lines], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
