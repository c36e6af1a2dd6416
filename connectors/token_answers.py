"""What the answer of a token endpoint means: tokens and facts about the account, or who has to act.

Read with more patience than the standard asks for: providers answer forms, put errors into a 200, and write numbers as
texts. One thing is sure whatever they answer: nobody counts as disconnected unless the provider says so by its code.
No secret is ever in a message, and no body of an answer is kept.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

import httpx
import msgspec
from msgspec import UNSET, UnsetType

from connectors.answers import REFUSED, provider_message, retry_after_seconds
from connectors.errors import Ambiguous, ConnectorError, Refused, Unreadable
from connectors.provider import OAuth2Opts, TokenField, TokenRequest
from connectors.secret import MASK, Secret
from installations.record import Fault, FaultKind

DEAD_GRANT = "invalid_grant"
"""The fault code of a `Refused` that only a new consent mends; its kind is ``auth``."""
BAD_CLIENT = "invalid_client"
"""The fault code of a `Refused` that the builder must mend: the provider app's id or secret is wrong."""

LONGEST_LIFE_SECONDS = 10 * 366 * 24 * 3600
"""What a longer life is taken for."""
WORDS_LIMIT = 500
"""Characters of a provider's words that are quoted."""

# RFC 6749, section 5.2, and what providers say instead.
_DEAD = frozenset(
    {
        "invalid_grant",
        # https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide (``status``, seen with v1 and v3)
        "bad_refresh_token",
        "bad_auth_code",
        # https://www.zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html (inside a 200)
        "invalid_code",
        # https://api.slack.com/methods/oauth.v2.access#errors (inside a 200)
        "invalid_refresh_token",
    }
)
_BAD_CLIENT = frozenset(
    {
        "invalid_client",
        "unauthorized_client",
        # https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm
        "invalid_client_id",
        "invalid_client_credentials",
        # HubSpot, Slack, Zoho
        "bad_client_id",
        "bad_client_secret",
        "invalid_client_secret",
    }
)
_PASSING = frozenset({"temporarily_unavailable", "server_error", "internal_error", "timeout"})
_THROTTLED = frozenset({"slow_down", "rate_limit_exceeded", "rate_limited", "ratelimited", "too_many_requests"})
_FORBIDDEN = frozenset({"access_denied", "inactive_user", "inactive_org", "invalid_app_access", "org_login_required"})
_NO_CODES = frozenset({"error", "fail", "failed", "failure"})
_BUSY = re.compile("already being processed", re.IGNORECASE)
"""Salesforce says so, as ``invalid_grant``, while it still works on an earlier request with the same token."""
_UNSIGNABLE = frozenset({"mac", "dpop", "pop"})
"""Token types that want a signature over each request (RFC 9449 and others); all others are sent as they are."""

_SECONDS = re.compile(r"(\d{1,20})(?:\.\d{0,20})?")
_TOKEN = re.compile(r"[\x21-\x7e]{1,8000}")
_SEPARATORS = re.compile(r"[\s,]+")
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CODE = re.compile(r"[\w.:-]{1,64}", re.ASCII)
_FACT_LIMIT = 1024
_SHORTEST_FOUND_INSIDE = 5
_SEARCHED = 64 * 1024
_SCOPES_LIMIT = 500
_TOO_MANY = 429


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What a token endpoint gave."""

    access_token: Secret
    refresh_token: Secret | None = None
    """``None`` where the answer had none: the old one stays."""
    expires_in: int | None = None
    """Seconds; ``None`` where the provider does not say, or says nonsense."""
    scopes: tuple[str, ...] | None = None
    workspace_ref: str | None = None
    consumer_ref: str | None = None
    facts: Mapping[str, tuple[str, str]] = msgspec.field(default_factory=dict)
    """From the name of a fact about the account to its value and display name."""

    def expires_at(self, now: datetime) -> datetime | None:
        """Tell when the access token's time is over."""
        return None if self.expires_in is None else now + timedelta(seconds=self.expires_in)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What one needs to know of the request to read its answer."""

    private: tuple[str, ...] = ()
    """Secrets that were sent; a provider that quotes them is not quoted in turn."""
    client_is_customers: bool = False
    """The client came with the customer's credentials, so a client that is refused is the customer's to mend."""

    def words(self, response: httpx.Response) -> str:
        """Answer the provider's words, on one line, without secrets, at most `WORDS_LIMIT` characters."""
        text = _text(_parsed(response).get("error_description"))[:_SEARCHED] or provider_message(response)
        for secret in sorted(set(self._forms()), key=len, reverse=True):
            # A short one stands inside honest words by chance.
            edge = r"\b" if len(secret) < _SHORTEST_FOUND_INSIDE and secret.isalnum() else ""
            text = re.sub(f"{edge}{re.escape(secret)}{edge}", MASK, text)
        return _CONTROL.sub(" ", text)[:WORDS_LIMIT].strip()

    def _forms(self) -> Iterator[str]:
        for secret in filter(None, self.private):
            yield from (secret, quote(secret, safe=""), quote_plus(secret), escape(secret))


def encoded_pair(client_id: str, secret: str) -> str:
    """Write a client as ``client_secret_basic`` sends it, for scrubbing."""
    return base64.b64encode(f"{quote(client_id, safe='')}:{quote(secret, safe='')}".encode()).decode("ascii")


def granted(response: httpx.Response, options: OAuth2Opts, asked: Asked) -> Granted:
    """Read the answer of an OAuth token endpoint.

    Raises `Refused` with kind ``auth`` and code `DEAD_GRANT`, ``forbidden`` and `BAD_CLIENT`, ``rate_limited``, or the
    provider's own code; `Ambiguous` where nobody can tell, a 5xx and a page of HTML among it; `Unreadable` where a
    success holds no token that can be sent.
    """
    answer = _parsed(response)
    token = _text(answer.get("access_token"))
    if not response.is_success or not token:
        raise _failure(response, answer, asked)
    kind = _text(answer.get("token_type")) or "bearer"
    if kind.lower() in _UNSIGNABLE:
        raise _unusable(response, f"with a token of the type {kind[:20]!r}, which has to sign each request")
    return _granted(response, answer, token, options)


def traded(response: httpx.Response, request: TokenRequest, asked: Asked) -> Granted:
    """Read the answer of a custom token endpoint. Raises as `granted` does; a 401 is a dead grant whatever it says."""
    answer = _parsed(response)
    if response.is_success:
        token = _text(_at(answer, request.token_path))
        if not token:
            raise _unusable(response, f"without a token in {request.token_path!r}")
        life = seconds(_at(answer, request.expires_in_path))
        return Granted(access_token=_sendable(response, token), expires_in=life)
    if response.status_code == httpx.codes.UNAUTHORIZED and not _is_markup(response):
        raise _refused(response, "auth", DEAD_GRANT, "the provider does not accept these values", asked)
    raise _failure(response, answer, asked)


def seconds(value: Any) -> int | None:
    """Read a life in seconds: a number or its text, clamped to `LONGEST_LIFE_SECONDS`. ``None`` for anything else."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return int(min(value, LONGEST_LIFE_SECONDS)) if value > 0 else None
    found = _SECONDS.fullmatch(value.strip()) if isinstance(value, str) else None
    return min(int(found[1]), LONGEST_LIFE_SECONDS) or None if found else None


def _granted(response: httpx.Response, answer: Mapping[str, Any], token: str, options: OAuth2Opts) -> Granted:
    fields = options.token_metadata_fields
    refresh_token = _text(answer.get("refresh_token"))
    return Granted(
        access_token=_sendable(response, token),
        refresh_token=Secret(refresh_token) if refresh_token else None,
        expires_in=seconds(answer.get("expires_in")),
        scopes=_scopes(_at(answer, fields.scopes_field or "scope")),
        workspace_ref=_fact(_at(answer, fields.workspace_ref_field)),
        consumer_ref=_fact(_at(answer, fields.consumer_ref_field)),
        facts=dict(_facts(answer, fields.other_fields or ())),
    )


def _sendable(response: httpx.Response, token: str) -> Secret:
    if not _TOKEN.fullmatch(token):
        raise _unusable(response, "with a token that no header can carry")
    return Secret(token)


def _facts(answer: Mapping[str, Any], fields: Sequence[TokenField]) -> Iterator[tuple[str, tuple[str, str]]]:
    for field in fields:
        value = _fact(_at(answer, field.path), field.capture)
        if value is not None:
            yield field.name, (value, field.display_name)


def _fact(value: Any, capture: str | UnsetType = UNSET) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    if not text or len(text) > _FACT_LIMIT or _CONTROL.search(text):
        return None
    if capture is UNSET:
        return text
    # The published spelling of a named group is Go's or JavaScript's; Python wants a P.
    found = re.search(_NAMED_GROUP.sub("(?P<", capture), text)
    return found["result"] or None if found else None


def _scopes(value: Any) -> tuple[str, ...] | None:
    texts = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    parts = (part for text in texts if isinstance(text, str) for part in _SEPARATORS.split(text) if part)
    return tuple(dict.fromkeys(parts))[:_SCOPES_LIMIT] or None


def _at(answer: Any, path: str | UnsetType) -> Any:
    if path is UNSET:
        return None
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _parsed(response: httpx.Response) -> dict[str, Any]:
    """Read JSON or a form, whatever the header calls it; anything else reads as empty."""
    try:
        # Not msgspec: one odd number (NaN, 1e999) is no reason to lose a token.
        value = json.loads(response.content)
    except (ValueError, RecursionError):
        return {} if _is_markup(response) else _form(response)
    return value if isinstance(value, dict) else {}


def _form(response: httpx.Response) -> dict[str, Any]:
    try:
        return dict(parse_qsl(response.content.decode("ascii").strip(), strict_parsing=True, max_num_fields=100))
    except ValueError:
        return {}


def _is_markup(response: httpx.Response) -> bool:
    return response.content.lstrip()[:1] == b"<"


def _failure(response: httpx.Response, answer: Mapping[str, Any], asked: Asked) -> ConnectorError:
    """Name an answer without a token by its status, then by its code."""
    if response.status_code == _TOO_MANY:
        return _throttled(response, asked)
    if response.is_redirect:
        return _refused(response, "unrecognised", "unexpected_redirect", "the token endpoint redirects", asked)
    if response.is_server_error or not (response.is_success or response.status_code in REFUSED):
        return _unclear(response, asked)
    codes = tuple(_codes(response, answer))
    for known, name in _NAMED:
        if not known.isdisjoint(codes):
            return name(response, asked)
    return _unknown(response, codes, asked)


def _unknown(response: httpx.Response, codes: Sequence[str], asked: Asked) -> ConnectorError:
    if response.is_success and not codes:
        return _unusable(response, "without a token")
    if not codes and (_is_markup(response) or not response.content.strip()):
        # A gateway's page says nothing about the grant.
        return _unclear(response, asked)
    code = next(filter(_CODE.fullmatch, codes), None)
    kind: FaultKind = "forbidden" if code in _FORBIDDEN else REFUSED.get(response.status_code, "invalid")
    # A 401 without a known code does not prove that the customer has to act.
    return _refused(response, "forbidden" if kind == "auth" else kind, code, "the provider gave no token", asked)


def _codes(response: httpx.Response, answer: Mapping[str, Any]) -> Iterator[str]:
    """List the codes of an error in lower case, wherever providers put them; a success has one in ``error`` only."""
    error = answer.get("error")
    inner = error if isinstance(error, dict) else {}
    found = [error, inner.get("code"), inner.get("type")]
    if not response.is_success:
        found += [answer.get("status"), answer.get("code"), answer.get("subCategory")]
    return (item.lower() for item in found if isinstance(item, str) and item and item.lower() not in _NO_CODES)


def _dead(response: httpx.Response, asked: Asked) -> ConnectorError:
    if _BUSY.search(provider_message(response)):
        return _refused(response, "locked", "grant_busy", "the provider works on an earlier request", asked)
    return _refused(response, "auth", DEAD_GRANT, "the provider no longer accepts the grant", asked)


def _bad_client(response: httpx.Response, asked: Asked) -> ConnectorError:
    if asked.client_is_customers:
        return _refused(response, "auth", DEAD_GRANT, "the provider does not accept the client id and secret", asked)
    what = "the provider does not accept the client id or secret of the provider app"
    return _refused(response, "forbidden", BAD_CLIENT, what, asked)


def _throttled(response: httpx.Response, asked: Asked) -> ConnectorError:
    return _refused(response, "rate_limited", None, "the provider gives no token for now", asked)


def _refused(response: httpx.Response, kind: FaultKind, code: str | None, what: str, asked: Asked) -> ConnectorError:
    return Refused(_fault(response, kind, code, what, asked))


def _unclear(response: httpx.Response, asked: Asked) -> ConnectorError:
    what = f"the token endpoint answered {response.status_code}, which does not tell whether the grant is good"
    return Ambiguous(_fault(response, "ambiguous", None, what, asked))


def _fault(response: httpx.Response, kind: FaultKind, code: str | None, what: str, asked: Asked) -> Fault:
    words = asked.words(response)
    return Fault(
        kind=kind,
        message=f"{what}: {words}" if words else what,
        status=response.status_code,
        code=code,
        retry_after_seconds=retry_after_seconds(response),
    )


def _unusable(response: httpx.Response, what: str) -> Unreadable:
    message = f"the token endpoint answered {response.status_code} {what}"
    return Unreadable(Fault(kind="unrecognised", message=message, status=response.status_code))


_NAMED = ((_DEAD, _dead), (_BAD_CLIENT, _bad_client), (_THROTTLED, _throttled), (_PASSING, _unclear))
"""What known codes mean; the first row with one of them decides."""
