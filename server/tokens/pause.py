"""How long to leave somebody alone who has failed: longer each time, and never in step with others."""

from server.tokens.pace import Pace

_MOST_DOUBLINGS = 16
_JITTER = 0.2


class Pause:
    """Failures in a row, and the time that has to pass after the last one. Remembered by one process."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._failures = 0
        self._until = 0.0

    @property
    def seconds_left(self) -> float:
        """How long to wait still; 0 or less is over."""
        return self._until - self._pace.monotonic() if self._failures else 0.0

    def lengthen(self, *, at_least: float | None = None) -> None:
        """Note a failure; ``at_least`` is what the other side asked for."""
        pace = self._pace
        seconds = min(pace.first_pause_seconds * 2 ** min(self._failures, _MOST_DOUBLINGS), pace.longest_pause_seconds)
        seconds *= 1 + _JITTER * (2 * pace.random() - 1)
        self._failures += 1
        self._until = pace.monotonic() + max(seconds, at_least or 0.0)

    def end(self) -> None:
        """Note a success."""
        self._failures = 0
