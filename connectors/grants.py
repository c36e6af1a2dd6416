"""How tokens are had: the authorization URL, and one flow for each grant (RFC 6749, 7636, 9207).

A grant is a flow like any other, so the only loop that touches the network runs it, without credentials on it: what
proves our client goes into the request itself. The pieces of the protocol are Authlib's. What an answer means is in
`connectors/token_answers.py`.
"""

import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

import httpx
import msgspec
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connectors.connector import READS_ONLY, Flow
from connectors.errors import NotSent, Unreadable
from connectors.provider import OAuth2Opts, TokenRequest
from connectors.secret import Secret
from connectors.templates import TemplateError, fill_secret
from connectors.token_answers import BAD_CLIENT, DEAD_GRANT, Asked, Granted, encoded_pair, granted, traded
from installations.record import Fault

__all__ = [
    "BAD_CLIENT",
    "DEAD_GRANT",
    "RESERVED_PARAMETERS",
    "Client",
    "Granted",
    "authorization_url",
    "exchange_code",
    "for_client",
    "for_password",
    "new_verifier",
    "refresh",
    "trade",
]

RESERVED_PARAMETERS = frozenset(
    {
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "nonce",
        "redirect_uri",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
    }
)
"""Parameters of an authorization URL that are ours to set: each decides who is asked for what, or where the code goes.

``request`` and ``request_uri`` replace all the others (RFC 9101); ``response_mode`` moves the code out of the query.
"""

_FORM = "application/x-www-form-urlencoded"
_VERIFIER_BYTES = 48  # 64 characters; RFC 7636, section 4.1 wants 43 to 128


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """An OAuth client at a provider: the builder's provider app, or the customer's own."""

    client_id: str
    client_secret: Secret | None = None
    scopes: tuple[str, ...] = ()


def new_verifier() -> Secret:
    """Make a PKCE verifier (RFC 7636, section 4.1)."""
    return Secret(secrets.token_urlsafe(_VERIFIER_BYTES))


def authorization_url(
    options: OAuth2Opts,
    *,
    url: str,
    client: Client,
    redirect_uri: str,
    state: str,
    verifier: Secret | None,
    extra: Mapping[str, Sequence[str]],
    values: Mapping[str, str] | None = None,
) -> str:
    """Build the URL of the provider's consent page.

    ``url`` is the authorization endpoint with its placeholders filled. ``extra`` are the builder's own parameters; they
    win over the provider's defaults, and those in `RESERVED_PARAMETERS` are left out. ``values`` fill placeholders in
    scope mappings. With a ``verifier`` the challenge is S256, never plain.
    Raises `TemplateError` for a scope that needs a value which is not there.
    """
    parameters = {name: [text] for name, text in (options.auth_url_params or {}).items()}
    parameters |= {name: list(texts) for name, texts in extra.items() if name.lower() not in RESERVED_PARAMETERS}
    if verifier is not None:
        challenge = create_s256_code_challenge(verifier.reveal())
        parameters |= {"code_challenge": [challenge], "code_challenge_method": ["S256"]}
    scope = provider_scopes(options, client.scopes, values or {})
    address = prepare_grant_uri(url, client.client_id, "code", redirect_uri=redirect_uri, scope=scope, state=state)
    # Not among Authlib's keywords: a builder's parameter may be called ``uri``.
    return str(add_params_to_uri(address, [(name, text) for name, texts in parameters.items() for text in texts]))


def provider_scopes(options: OAuth2Opts, scopes: Sequence[str], values: Mapping[str, str]) -> str:
    """Answer the scopes as the provider spells them, separated by spaces; empty for none."""
    mapped = options.scope_mappings or {}
    known = {name: Secret(text) for name, text in values.items()}
    return " ".join(fill_secret(mapped.get(scope, scope), known).reveal() for scope in scopes)


def exchange_code(
    options: OAuth2Opts, *, url: str, client: Client, code: Secret, redirect_uri: str, verifier: Secret | None
) -> Flow[Granted]:
    """Trade the code of the consent page for tokens. ``redirect_uri`` is the very string the page was asked with."""
    proof = {} if verifier is None else {"code_verifier": verifier.reveal()}
    body = prepare_token_request("authorization_code", redirect_uri=redirect_uri, code=code.reveal(), **proof)
    return (yield from _ask(options, url=url, client=client, body=body, private=_held(code, verifier)))


def refresh(options: OAuth2Opts, *, url: str, client: Client, refresh_token: Secret) -> Flow[Granted]:
    """Trade a refresh token for a new access token, and maybe a new refresh token that replaces this one.

    `Ambiguous` and `Unreadable` mean that the old one may be spent; nothing but asking again tells.
    """
    body = prepare_token_request("refresh_token", refresh_token=refresh_token.reveal())
    return (yield from _ask(options, url=url, client=client, body=body, private=_held(refresh_token)))


def for_client(options: OAuth2Opts, *, url: str, client: Client) -> Flow[Granted]:
    """Get a token for the customer's own client. A client that is refused is theirs to mend: `DEAD_GRANT`."""
    audience = urlencode([("audience", each) for each in options.audience or ()])
    scope = provider_scopes(options, client.scopes, {})
    body = prepare_token_request("client_credentials", audience, scope=scope)
    return (yield from _ask(options, url=url, client=client, body=body, client_is_customers=True))


def for_password(options: OAuth2Opts, *, url: str, client: Client, username: str, password: Secret) -> Flow[Granted]:
    """Get a token for a user name and a password; the client comes with them and is the customer's too."""
    scope = provider_scopes(options, client.scopes, {})
    body = prepare_token_request("password", username=username, password=password.reveal(), scope=scope)
    return (
        yield from _ask(options, url=url, client=client, body=body, private=_held(password), client_is_customers=True)
    )


def trade(request: TokenRequest, *, url: str, values: Mapping[str, Secret]) -> Flow[Granted]:
    """Trade the inputs of a custom scheme for a token: a POST of JSON. A 401 means that the inputs are wrong.

    Raises `NotSent` (``invalid``) where a template needs a value that is not there.
    """
    try:
        headers = {item.name: fill_secret(item.value_template, values).reveal() for item in request.headers}
        body = {name: fill_secret(template, values).reveal() for name, template in request.body.items()}
    except TemplateError as error:
        raise NotSent(Fault(kind="invalid", message=str(error), code="input_missing")) from error
    asked = httpx.Request("POST", url, headers={"Accept": "application/json", **headers}, json=body)
    asked.extensions[READS_ONLY] = True
    response = yield from _answer(asked)
    return traded(response, request, Asked(private=tuple(value.reveal() for value in values.values())))


def _ask(
    options: OAuth2Opts,
    *,
    url: str,
    client: Client,
    body: str,
    private: Sequence[str] = (),
    client_is_customers: bool = False,
) -> Flow[Granted]:
    request = _token_request(options, url=url, client=client, body=body)
    if client_is_customers:
        # Asking twice gives two tokens and spends nothing, so an answer that is lost has changed nothing.
        request.extensions[READS_ONLY] = True
    response = yield from _answer(request)
    secret = _held(client.client_secret)
    private = (*private, *secret, *(encoded_pair(client.client_id, each) for each in secret))
    return granted(response, options, Asked(private=private, client_is_customers=client_is_customers))


def _token_request(options: OAuth2Opts, *, url: str, client: Client, body: str) -> httpx.Request:
    method = options.client_authentication if client.client_secret is not None else "none"
    client_id, secret = client.client_id, client.client_secret.reveal() if client.client_secret is not None else ""
    if method == "client_secret_basic":
        # RFC 6749, section 2.3.1: each half is form-encoded first. Authlib leaves that out.
        client_id, secret = quote(client_id, safe=""), quote(secret, safe="")
    headers: dict[str, str] = {"Accept": "application/json", "Content-Type": _FORM}
    address, headers, body = ClientAuth(client_id, secret, method).prepare("POST", url, headers, body)
    return httpx.Request("POST", address, headers=headers, content=body.encode("ascii"))


def _answer(request: httpx.Request) -> Flow[httpx.Response]:
    try:
        return (yield request)
    except Unreadable as error:
        # What could be read of a broken answer may be tokens.
        raise Unreadable(error.fault) from error


def _held(*values: Secret | None) -> tuple[str, ...]:
    return tuple(value.reveal() for value in values if value is not None)
