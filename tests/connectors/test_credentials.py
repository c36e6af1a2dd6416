"""What is held of customers' credentials: it survives the vault, shows itself to nobody, and is known for scrubbing."""

import copy
import pickle
import traceback
from datetime import UTC, datetime

import msgspec
import pytest

from connectors.credentials import (
    ApiKeyCredentials,
    AuthorizationCodeTokens,
    BasicCredentials,
    CachedToken,
    ClientCredentials,
    Credentials,
    CredentialsError,
    CustomCredentials,
    NoCredentials,
    PasswordCredentials,
    authorize,
    build_credentials,
    parse_credentials,
)
from connectors.provider import Provider
from connectors.secret import Secret
from tests.connectors.credential_cases import CANARY, SECRETS

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

EVERY: list[Credentials] = [
    NoCredentials(),
    ApiKeyCredentials(api_key=Secret(CANARY)),
    BasicCredentials(username="ada", password=Secret(CANARY)),
    AuthorizationCodeTokens(
        access_token=Secret(CANARY), refresh_token=Secret(CANARY), expires_at=WHEN, scopes=("a", "b")
    ),
    ClientCredentials(
        client_id="id", client_secret=Secret(CANARY), scopes=("a",), token=CachedToken(access_token=Secret(CANARY))
    ),
    PasswordCredentials(username="ada", password=Secret(CANARY), client_secret=Secret(CANARY)),
    CustomCredentials(values={"token": Secret(CANARY)}, token=CachedToken(access_token=Secret(CANARY))),
]
each = pytest.mark.parametrize("credentials", EVERY, ids=lambda value: type(value).__name__)


@each
def test_credentials_survive_the_vault(credentials: Credentials) -> None:
    assert parse_credentials(build_credentials(credentials)) == credentials


@each
def test_credentials_show_no_secret(credentials: Credentials) -> None:
    assert CANARY not in f"{credentials} {credentials!r}"


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", f"{[secret]}", f"{ {secret: secret} }"]
    assert not any(CANARY in text for text in shown)
    assert f"{secret}" == "***"
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            refuse(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert (secret == Secret(CANARY), secret == CANARY, len({secret, Secret(CANARY)})) == (True, False, 1)
    assert (bool(secret), bool(Secret(""))) == (True, False)


def fail_with(credentials: Credentials) -> None:
    raise ValueError(f"cannot use {credentials}")


def test_a_secret_is_not_in_a_traceback_with_locals() -> None:
    with pytest.raises(ValueError, match="cannot use") as caught:
        fail_with(ApiKeyCredentials(api_key=Secret(CANARY)))
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "credentials = " in shown
    assert CANARY not in shown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"scheme": "canary-4711"}',
        b'{"scheme": "apiKey"}',
        b'{"scheme": "apiKey", "api_key": 4711}',
        b'{"scheme": "basic", "username": "canary-4711", "password": ["canary-4711"]}',
        b'{"scheme": "apiKey", "api_key": "canary-4711\xff"}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_named_without_being_quoted(content: bytes) -> None:
    with pytest.raises(CredentialsError) as caught:
        parse_credentials(content)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(("whose", "held", "known"), SECRETS, ids=lambda value: type(value).__name__)
def test_every_form_of_a_secret_is_known_for_scrubbing(
    whose: Provider, held: Credentials, known: tuple[str, ...]
) -> None:
    assert authorize(whose, held).secrets == tuple(secret.encode() for secret in known)
