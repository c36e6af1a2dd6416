"""How an answer leaves: what is written in one turn of the loop goes out together, head and body as one packet.

uvicorn 0.54 writes the head and the body of an answer one after the other, and uvloop 0.23 sends each at once: two
calls of the system and two packets for every answer (seen 2026-11-22), a tenth of what an accepted write costs.
"""

from asyncio import AbstractEventLoop, Transport
from typing import Any

MOST_HELD_BYTES = 65_536
"""More is sent at once, so that a slow reader is felt as soon as without us."""


class Joining(Transport):
    """Holds back what is written until the loop's next turn; of a transport it offers what uvicorn uses."""

    def __init__(self, transport: Transport, *, loop: AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held: list[bytes | bytearray | memoryview] = []
        self._held_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send it with whatever else is written in this turn."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > MOST_HELD_BYTES:
            self._send()

    def _send(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held) if len(held) > 1 else held[0])

    def close(self) -> None:
        """Close when everything that was written is sent."""
        self._send()
        self._transport.close()

    def is_closing(self) -> bool:
        """Tell whether it closes or is closed."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Read nothing for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Tell what is known of the connection."""
        return self._transport.get_extra_info(name, default)
