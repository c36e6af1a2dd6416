"""What time it is, and fresh names: injected, so that tests decide both."""

import os
import platform
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Answers an aware UTC time."""
NewId: TypeAlias = Callable[[], str]
"""Answers an id nobody has used and nobody can guess; it never holds ``:`` or ``/``."""


def utc_now() -> datetime:
    """Read the system's clock."""
    return datetime.now(UTC)


def new_id() -> str:
    """Draw a random UUID (version 4), in a third of the time that `uuid.uuid4` takes."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def process_name() -> str:
    """Name this process among all that ever ran, for leases and heartbeats."""
    return f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
