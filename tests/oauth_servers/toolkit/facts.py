"""What happened at the token endpoint, and how long each application's tokens live. In memory; no Django needed."""

import base64
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from tests.canaries import canary

_HOUR = 3600
_lives: dict[str, int] = {}
_requests: list[dict[str, Any]] = []
_lock = threading.Lock()


def recognisable(_: Any) -> str:
    """Make a token; the toolkit asks."""
    return canary()


def token_life(request: Any) -> int:
    """Tell the seconds that a token for this request's application lives; the toolkit asks."""
    return _lives.get(request.client.client_id, _HOUR)


def set_token_life(client_id: str, seconds: int) -> None:
    _lives[client_id] = seconds


def token_requests(client_id: str) -> list[dict[str, Any]]:
    """List what was asked of the token endpoint in the name of an application, and how it was answered."""
    with _lock:
        return [each for each in _requests if each["clientId"] == client_id]


def counted(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Write each request at the token endpoint down: Django's middleware."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        if request.path == "/o/token/":
            told = {"grantType": request.POST.get("grant_type", ""), "status": response.status_code}
            with _lock:
                _requests.append({"clientId": _client_id(request), **told})
        return response

    return middleware


def _client_id(request: Any) -> str:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return str(request.POST.get("client_id", ""))
    return unquote_plus(base64.b64decode(encoded).decode().partition(":")[0])
