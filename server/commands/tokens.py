"""``isthmus tokens``."""

import argparse

from server.access.signing import BadSigner, sign_token
from server.clock import utc_now
from server.commands.shell import content, say, spoken


def sign(parsed: argparse.Namespace) -> None:
    """Print a token for one person."""
    with spoken(BadSigner):
        token = sign_token(
            content(parsed.private_key),
            kid=parsed.kid,
            group_ref=parsed.group,
            consumer_ref=parsed.consumer,
            now=int(utc_now().timestamp()),
            seconds=parsed.seconds,
        )
    say(token)
