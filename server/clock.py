"""What time it is, and fresh names: injected, so that tests decide both."""

import os
import platform
import time
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
    """Draw a UUID of version 7: 48 bits of time, then 74 that nobody can guess.

    Ids that grow with time lie side by side in an index: a group of writes touches a few of its pages instead of one
    for each. https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    digits = f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def process_name() -> str:
    """Name this process among all that ever ran, for leases and heartbeats."""
    return f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
