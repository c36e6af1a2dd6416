"""How a call that should be passed through comes to nothing, and whether it may have happened all the same.

ProxyError
├── ProxyOff             the integration or the customer does not offer calls
├── HeldBack             in throttle mode: the account is not to be called yet, by its provider or by our own limits
└── NotPassed            it went wrong on the way; carries the outcome
    ├── NotForwarded     nothing was sent; later it may go through
    ├── NeverForwarded   nothing was sent, nor would it be another time
    ├── MaybeForwarded   nobody knows whether the provider acted
    └── AnswerWithheld   the provider acted, and its answer cannot be passed on
"""

from datetime import datetime
from email.utils import format_datetime

OUTCOME = "x-isthmus-outcome"
"""The header of our own answers to a failed call: ``not-sent``, ``ambiguous`` or ``done``."""
RETRY_AFTER = "x-amp-retry-after"
RETRYABLE = "x-amp-retryable"


class ProxyError(Exception):
    """The root. The message is a sentence for the caller."""

    outcome = "not-sent"

    @property
    def headers(self) -> dict[str, str]:
        """The headers that belong to it."""
        return {OUTCOME: self.outcome}


class ProxyOff(ProxyError):
    """The integration or the customer does not offer calls."""


class HeldBack(ProxyError):
    """The account is not to be called yet, and the caller has asked us to see to it."""

    def __init__(self, until: datetime, *, after_seconds: int) -> None:
        super().__init__(f"This account is not called for a while; the next call may go out in {after_seconds} s.")
        self.until = until
        self.after_seconds = after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """The outcome, and until when in the published spelling."""
        return {**super().headers, **retry_headers(self.until)}


class NotPassed(ProxyError):
    """It went wrong on the way."""


class NotForwarded(NotPassed):
    """Nothing was sent; later it may go through."""


class NeverForwarded(NotPassed):
    """Nothing was sent, nor would it be another time."""


class MaybeForwarded(NotPassed):
    """Nobody knows whether the provider acted."""

    outcome = "ambiguous"


class AnswerWithheld(NotPassed):
    """The provider acted, and its answer cannot be passed on."""

    outcome = "done"


def retry_headers(until: datetime) -> dict[str, str]:
    """Say in the published spelling when a throttled call may be made again."""
    return {RETRY_AFTER: format_datetime(until, usegmt=True).replace("GMT", "UTC"), RETRYABLE: "true"}
