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
    """Draw a random UUID."""
    return str(uuid.uuid4())


def process_name() -> str:
    """Name this process among all that ever ran, for leases and heartbeats."""
    return f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
