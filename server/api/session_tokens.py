"""Session tokens over HTTP: one request of a backend for each person on a page, instead of a JWT library and a key."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import RawBody
from msgspec import Meta

from connectors.secret import Veiled
from headless.embed import MAX_LIFE_SECONDS
from server.api.bodies import Name, parse_strictly
from server.api.provided import Entered, FromApp, takes

_SHORTEST_SECONDS = 60


class CreateSessionToken(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """For whom, and for how long."""

    group_ref: Name
    consumer_ref: Name
    expires_in_seconds: Annotated[int, Meta(ge=_SHORTEST_SECONDS, le=MAX_LIFE_SECONDS)] = MAX_LIFE_SECONDS


class SessionTokenAnswer(Veiled, frozen=True, kw_only=True, rename="camel"):
    """What a page presents as ``Authorization: Bearer``."""

    token: str
    expire_time: datetime


@post("/session-tokens", opt=takes(CreateSessionToken))
async def create_session_token(services: FromApp, project_id: Entered, body: RawBody) -> SessionTokenAnswer:
    """Sign a token for one person of one group: what a page of theirs shows to see their things and no others.

    It is like a token that you sign yourself, and its key is among the project's JWT keys: switching that off ends all
    session tokens at once, and the next one is signed by a new key.
    """
    wanted = parse_strictly(body, CreateSessionToken)
    issued = await services.sessions.issue(
        project_id,
        group_ref=wanted.group_ref,
        consumer_ref=wanted.consumer_ref,
        seconds=wanted.expires_in_seconds,
    )
    return SessionTokenAnswer(token=issued.token.reveal(), expire_time=issued.expire_time)
