"""Why a customer was not connected, in words for the customer: who has to act, and whether to try again."""

from connectors.errors import ConnectorError, Refused
from connectors.grants import BAD_CLIENT, DEAD_GRANT
from installations.errors import InvalidInput
from server.store.contract import Missing, StoreError

LONGEST = 600
"""Characters of a reason; providers may say more, and pages and messages are no place for it."""


def denial(code: str, description: str, *, provider: str) -> str:
    """Say what the provider's error means. Both texts are the provider's own, or somebody's who poses as it."""
    if code == "access_denied" and not description:
        return f"Access to {provider} was not given."
    return _shortened(f"{provider} answered {code}: {description}" if description else f"{provider} answered {code}.")


def why(error: Exception, *, provider: str) -> str:
    """Say why the provider's consent came to nothing. What is no one's business here is named by its kind."""
    if isinstance(error, Refused):
        return _refusal(error, provider)
    if isinstance(error, ConnectorError):
        return f"{provider} could not be asked, or gave no answer that can be used. Try again."
    if isinstance(error, InvalidInput):
        return _shortened("; ".join(issue.message for issue in error.issues))
    if isinstance(error, Missing):
        return "What this was for has been deleted meanwhile."
    if isinstance(error, StoreError):
        return "This cannot be stored right now. Try again."
    raise error


def _refusal(error: Refused, provider: str) -> str:
    if error.fault.code == BAD_CLIENT:
        return f"{provider} does not know this product; whoever runs it has to correct its provider app."
    if error.fault.code == DEAD_GRANT:
        return f"{provider} takes its own code for used or expired. Try again."
    return _shortened(f"{provider} gave no access: {error.fault.message}")


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
