"""Signing a token for the person on a page, as a builder's backend does; `tokens.py` checks it.

For a shell and for trying things out there is `isthmus tokens sign`; a backend signs with a JWT library of its own
language, and its private key stays there. For backends that would rather not, `sessions.py` signs.
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from joserfc import jwt
from joserfc.jwk import RSAKey

from connectors.secret import Veiled
from headless.embed import MAX_LIFE_SECONDS, session_claims
from server.access.tokens import ALGORITHM, MIN_EXPONENT, MIN_KEY_BITS


class BadSigner(Exception):
    """The key, or what it shall sign, makes no token that would be accepted; the message says why."""


class Pair(Veiled, frozen=True, kw_only=True):
    """Both halves of a key, in PEM."""

    private_pem: bytes
    public_pem: str


def new_pair() -> Pair:
    """Draw a pair. It takes a tenth of a second and more, in which other threads go on."""
    key = generate_private_key(public_exponent=MIN_EXPONENT, key_size=MIN_KEY_BITS)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(private_pem=private, public_pem=public.decode())


def stored_key(pem: bytes) -> RSAKey:
    """Make the private half of a pair of ours ready. It was sealed, so it is as `new_pair` made it.

    Proving that once more would take 40 ms, a hundred times as long as signing. Raises `BadSigner` for another kind.
    """
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise BadSigner("The stored key must be RSA.")
    return RSAKey.import_key(key)


def sign_token(pem: bytes, *, kid: str, group_ref: str, consumer_ref: str, now: int, seconds: int) -> str:
    """Sign a token for one person with a key in PEM. Raises `BadSigner` for the key too; otherwise as `sign`."""
    return sign(_private_key(pem), kid=kid, group_ref=group_ref, consumer_ref=consumer_ref, now=now, seconds=seconds)


def sign(key: RSAKey, *, kid: str, group_ref: str, consumer_ref: str, now: int, seconds: int) -> str:
    """Sign a token for one person. ``now`` is in seconds since 1970, ``seconds`` how long it lives.

    Raises `BadSigner`.
    """
    if not 0 < seconds <= MAX_LIFE_SECONDS:
        raise BadSigner(f"A token lives 1 to {MAX_LIFE_SECONDS} seconds, not {seconds}.")
    if not (kid and group_ref and consumer_ref):
        raise BadSigner("A token names its key, a group and a consumer; one of them is empty.")
    claims = session_claims(group_ref=group_ref, consumer_ref=consumer_ref, now=now, seconds=seconds)
    return jwt.encode({"alg": ALGORITHM, "typ": "JWT", "kid": kid}, claims, key)


def _private_key(pem: bytes) -> RSAKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadSigner("This is no private key in PEM without a passphrase, such as openssl genrsa writes.") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < MIN_KEY_BITS:
        raise BadSigner(f"The private key must be RSA, of {MIN_KEY_BITS} bits or more.")
    return RSAKey.import_key(key)
