"""Events: facts with a dotted past-tense name and fields, one JSON object a line. Never record values or secrets."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

_log = logging.getLogger("isthmus")
_QUIET = ("httpx", "httpcore", "aiohttp", "asyncio", "uvicorn")
"""Libraries whose lines below a warning would carry URLs, and with them what people put there."""


def event(name: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Record a fact, such as ``write.delivered``. Fields are identifiers, counts and kinds; never contents."""
    if _log.isEnabledFor(level):
        _log.log(level, name, extra={"fields": fields})


def failed(name: str, error: BaseException, **fields: Any) -> None:
    """Record an unforeseen error: its class and where it came from. Its text may hold secrets and stays out."""
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
    event(name, level=logging.ERROR, error=type(error).__name__, trace=places, **fields)


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return msgspec.json.encode(line, enc_hook=str).decode()


def start_logging(*, level: int = logging.INFO) -> None:
    """Send events to standard error. Called once, by a command that serves."""
    # Who logged, from which thread and process, is in no line, and finding out costs more than the line:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001 -- as documented
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
