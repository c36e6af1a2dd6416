"""A token in the hand: which one it is, when it is time for the next, and when its own time is over. Pure."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.credentials import AuthorizationCodeTokens, CachedToken, Tokened
from connectors.grants import Granted
from connectors.provider import Provider
from connectors.secret import Secret

NEVER = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)

SHARE_OF_LIFE = 0.8
"""When a token is renewed although it is still good."""
JITTER = 0.03
"""Of its life, earlier or later: tokens that were given together shall not be renewed together."""
SHARE_OF_INTERVAL = 0.9
"""When a refresh token is used lest it die."""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials with a token, and their version in the store."""

    credentials: Tokened
    version: int
    token: Secret | None
    """``None`` before the first one was had."""
    renew_at: datetime
    """`NEVER` for what cannot be renewed: it is sent even past its time, for the provider has the last word."""
    over_at: datetime
    renewable: bool
    """Whether there is anything to get the next one with."""


def hold(credentials: Tokened, *, version: int, now: datetime, chance: float) -> Held:
    """Take credentials into the hand. ``chance`` is from 0 to 1 and decides the jitter."""
    cached = _cached(credentials)
    renewable = not isinstance(credentials, AuthorizationCodeTokens) or credentials.refresh_token is not None
    if cached is None:
        return Held(
            credentials=credentials, version=version, token=None, renew_at=LONG_AGO, over_at=LONG_AGO, renewable=True
        )
    return Held(
        credentials=credentials,
        version=version,
        token=cached.access_token,
        renew_at=_renew_at(cached, now=now, chance=chance) if renewable else NEVER,
        over_at=cached.expires_at or NEVER,
        renewable=renewable,
    )


def with_granted(credentials: Tokened, granted: Granted, *, now: datetime) -> Tokened:
    """Put what a token endpoint gave into credentials. A refresh token that is not replaced stays."""
    if isinstance(credentials, AuthorizationCodeTokens):
        return replace(
            credentials,
            access_token=granted.access_token,
            refresh_token=granted.refresh_token or credentials.refresh_token,
            expires_at=granted.expires_at(now),
            issued_at=now,
            scopes=granted.scopes or credentials.scopes,
        )
    token = CachedToken(access_token=granted.access_token, expires_at=granted.expires_at(now), issued_at=now)
    return replace(credentials, token=token)


def issued_at(credentials: Tokened) -> datetime | None:
    """Tell when the token was given, where that is known."""
    cached = _cached(credentials)
    return None if cached is None else cached.issued_at


def keep_alive_at(provider: Provider, credentials: object, *, now: datetime) -> datetime | None:
    """Tell when a refresh token given now must be used lest it die; ``None`` where it does not."""
    if not isinstance(credentials, AuthorizationCodeTokens) or credentials.refresh_token is None:
        return None
    hours = UNSET if provider.oauth2_opts is UNSET else provider.oauth2_opts.keep_alive_interval_hours
    return None if hours is UNSET else now + timedelta(hours=hours) * SHARE_OF_INTERVAL


def _cached(credentials: Tokened) -> CachedToken | None:
    if not isinstance(credentials, AuthorizationCodeTokens):
        return credentials.token
    return CachedToken(
        access_token=credentials.access_token, expires_at=credentials.expires_at, issued_at=credentials.issued_at
    )


def _renew_at(cached: CachedToken, *, now: datetime, chance: float) -> datetime:
    if cached.expires_at is None:
        return NEVER
    # Where nobody noted when it was given, its life is taken to begin now.
    born = cached.issued_at if cached.issued_at is not None and cached.issued_at < now else now
    life = cached.expires_at - born
    return born + life * (SHARE_OF_LIFE + JITTER * (2 * chance - 1))
