"""One attempt to hand a message over: through the gateway, no redirect followed, an answer within 15 seconds."""

import asyncio

import httpx

from connectors.errors import ConnectorError
from connectors.sending import attempt, require_sendable
from server.notifying.schedule import Answer

ANSWER_SECONDS = 15.0
"""From the name to the status, all together."""
ERROR_LIMIT = 500


class Courier:
    """Hands messages over by a transport that keeps to the operator's address policy."""

    def __init__(self, transport: httpx.AsyncBaseTransport, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._transport = transport
        self._answer_seconds = answer_seconds

    async def hand_over(self, request: httpx.Request) -> Answer:
        """Send once and tell what the receiver said; whatever it is but 2xx is an error. Never raises for the network.

        The body of the answer is not read: the status says it all, and words of strangers are not kept.
        """
        deadline = asyncio.get_running_loop().time() + self._answer_seconds
        try:
            require_sendable(request)
            response = await attempt(request, transport=self._transport, deadline=deadline)
        except ConnectorError as error:
            return Answer(error=_storable(error.fault.message))
        await response.aclose()
        if response.is_success:
            return Answer(status=response.status_code)
        return Answer(status=response.status_code, error=_refusal(response))


def _refusal(response: httpx.Response) -> str:
    if response.has_redirect_location:
        return f"the receiver answered {response.status_code}; redirects are not followed"
    return f"the receiver answered {response.status_code}"


def _storable(text: str) -> str:
    """Replace what no database keeps, and cut the rest short."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()[:ERROR_LIMIT]
