"""A connection together with its OAuth tokens, for callers who may have them."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from connectors.credentials import AuthorizationCodeTokens, parse_credentials
from connectors.secret import Veiled
from installations.installation import Connection


class TokenAnswer(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A token in the clear."""

    token: str
    expires_at: datetime | UnsetType = UNSET


class TokensAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The tokens of the authorization code grant."""

    access_token: TokenAnswer
    refresh_token: TokenAnswer | UnsetType = UNSET
    scopes: tuple[str, ...] | UnsetType = UNSET


class ConnectionWithTokens(Connection, frozen=True, kw_only=True, rename="camel"):
    """A connection; the tokens are there only when they were asked for and are of the published kind."""

    oauth2_authorization_code: TokensAnswer | UnsetType = msgspec.field(default=UNSET, name="oauth2AuthorizationCode")


def with_tokens(connection: Connection, content: bytes | None, *, refresh_token: bool = False) -> ConnectionWithTokens:
    """Add the tokens in ``content`` (opened credentials) to a connection."""
    credentials = parse_credentials(content) if content is not None else None
    tokens = _tokens(credentials, refresh=refresh_token) if isinstance(credentials, AuthorizationCodeTokens) else UNSET
    return ConnectionWithTokens(**msgspec.structs.asdict(connection), oauth2_authorization_code=tokens)


def _tokens(held: AuthorizationCodeTokens, *, refresh: bool) -> TokensAnswer:
    return TokensAnswer(
        access_token=TokenAnswer(token=held.access_token.reveal(), expires_at=held.expires_at or UNSET),
        refresh_token=TokenAnswer(token=held.refresh_token.reveal()) if refresh and held.refresh_token else UNSET,
        scopes=held.scopes or UNSET,
    )
