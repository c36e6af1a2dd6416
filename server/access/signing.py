"""Signing a token for the person on a page, as a builder's backend does; `tokens.py` checks it.

It is for a shell and for trying things out: a backend signs with a JWT library of its own language, and its private key
stays there.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.jwk import RSAKey

from server.access.tokens import ALGORITHM, MAX_LIFE_SECONDS, MIN_KEY_BITS


class BadSigner(Exception):
    """The key, or what it shall sign, makes no token that would be accepted; the message says why."""


def sign_token(pem: bytes, *, kid: str, group_ref: str, consumer_ref: str, now: int, seconds: int) -> str:
    """Sign a token for one person. ``now`` is in seconds since 1970, ``seconds`` how long it lives.

    Raises `BadSigner`.
    """
    if not 0 < seconds <= MAX_LIFE_SECONDS:
        raise BadSigner(f"A token lives 1 to {MAX_LIFE_SECONDS} seconds, not {seconds}.")
    if not (kid and group_ref and consumer_ref):
        raise BadSigner("A token names its key, a group and a consumer; one of them is empty.")
    claims = {"groupRef": group_ref, "consumerRef": consumer_ref, "iat": now, "exp": now + seconds}
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT", "kid": kid}, claims, _private_key(pem))


def _private_key(pem: bytes) -> RSAKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSigner("This is no private key in PEM without a passphrase, such as openssl genrsa writes.") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise BadSigner(f"The private key must be RSA, of {MIN_KEY_BITS} bits or more.")
    return RSAKey.import_key(key)
