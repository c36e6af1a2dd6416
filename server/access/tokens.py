"""Signed tokens of browsers: what one must look like, and for whom it speaks.

A token is as published: a JWT in compact form, signed with RS256 by a key whose public half was registered, which
its ``kid`` names. It says ``groupRef`` and ``consumerRef``, and lives ten minutes at most. Nothing in a token chooses
how it is checked. https://www.rfc-editor.org/rfc/rfc8725
"""

import re
from collections.abc import Set as AbstractSet
from typing import Annotated, Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode
from msgspec import UNSET, Meta, UnsetType

from headless.embed import MAX_LIFE_SECONDS
from installations.errors import InvalidInput, invalid
from installations.installation import JwtKey
from installations.shape import parse_json
from server.access.errors import BadToken

MAX_TOKEN_BYTES = 8192
MAX_HEADER_BYTES = 1024
"""Both are looked at before anything is decoded."""
LEEWAY_SECONDS = 30
"""How far the builder's clock may be off."""
MIN_KEY_BITS, MAX_KEY_BITS = 2048, 8192
MIN_EXPONENT, MAX_EXPONENT = 65537, 2**32
"""Smaller ones have a history of forgeries, larger ones make every check slow."""
ALGORITHM = "RS256"
_TYPES = frozenset({"", "jwt"})
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNWANTED = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"})
"""Members of a header that bring a key along, or change how the token is to be read."""

_RS256 = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
_RS256.max_header_length = MAX_HEADER_BYTES

_Ref = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^[^\0]*$")]
_Seconds = Annotated[int, Meta(ge=0, le=2**53)]


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """A registered key that is in use, ready to check signatures."""

    key_id: str
    key: RSAKey
    audiences: AbstractSet[str]
    """What a token may be made out to, if it says so."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """For whom a token speaks, and until when."""

    group_ref: str
    consumer_ref: str
    expire_seconds: int
    """Since 1970; the leeway comes on top."""

    def require_time(self, now: float) -> None:
        """Raises `BadToken` when the token's time is over. ``now`` is in seconds since 1970."""
        if now >= self.expire_seconds + LEEWAY_SECONDS:
            raise BadToken("The token has expired; sign a new one.")


class _Claims(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What we read of a token. Other claims, ``sub`` among them, are ignored, as published."""

    group_ref: _Ref
    consumer_ref: _Ref
    iat: _Seconds
    exp: _Seconds
    nbf: _Seconds | UnsetType = UNSET
    aud: _Ref | tuple[_Ref, ...] | UnsetType = UNSET


def key_id_of(token: str) -> str:
    """Answer the ``kid`` of a token whose outside is in order. Nothing is proven yet. Raises `BadToken`."""
    if len(token) > MAX_TOKEN_BYTES:
        raise BadToken(f"The token is longer than {MAX_TOKEN_BYTES} bytes.")
    head, *rest = token.split(".")
    if len(rest) != 2 or not all((head, *rest)):  # noqa: PLR2004 -- payload and signature
        raise BadToken("The token is no JWT: it must have three parts.")
    if len(head) > MAX_HEADER_BYTES:
        raise BadToken(f"The token's header is longer than {MAX_HEADER_BYTES} bytes.")
    header = _members(head, part="header")
    for name, value in header.items():
        if name in _UNWANTED or not isinstance(value, str):
            raise BadToken(f"The token's header has a member that is not accepted: {name[:64]!r}.")
    if header.get("alg") != ALGORITHM or header.get("typ", "").lower() not in _TYPES:
        raise BadToken(f"The token must be a JWT signed with {ALGORITHM}.")
    if not _KEY_ID.fullmatch(header.get("kid", "")):
        raise BadToken("The token's header must say in kid which registered key signed it.")
    return str(header["kid"])


def verify(token: str, signer: Signer, *, now: int) -> Person:
    """Answer for whom a token speaks. ``now`` is in seconds since 1970.

    Raises `BadToken` unless the token's outside is in order, this very key signed it, it names a group and a consumer,
    was issued before now, is not over, and lives no longer than is allowed.
    """
    if key_id_of(token) != signer.key_id:
        raise unknown_signer()
    try:
        signed = jws.deserialize_compact(token, signer.key, registry=_RS256)
    except (JoseError, ValueError) as error:
        raise unknown_signer() from error
    claims = _claims(signed.payload)
    _check_time(claims, signer.audiences, now=now)
    return Person(group_ref=claims.group_ref, consumer_ref=claims.consumer_ref, expire_seconds=claims.exp)


def unknown_signer() -> BadToken:
    """Make the error that tells no unknown key from one that is switched off, nor from a wrong signature."""
    return BadToken("The token's key is unknown or was switched off, or the signature is not its own.")


def signer_of(key: JwtKey, *, audiences: AbstractSet[str]) -> Signer:
    """Make a registered key ready. Raises `BadToken` for one that is switched off."""
    if not key.active:
        raise unknown_signer()
    return Signer(key_id=key.id, key=RSAKey.import_key(read_public_key(key.public_key_pem)), audiences=audiences)


def read_public_key(pem: str) -> RSAPublicKey:
    """Read a public key that somebody wants to register. Raises `InvalidInput` with a sentence that says what to do."""
    if "PRIVATE KEY" in pem:
        message = "this is a private key, which must stay with whoever signs; nothing of it was stored"
        remedy = "Make a new pair, since this one has travelled, and send its public half (openssl pkey -pubout)."
        raise invalid("publicKeyPem", message, code="private-key", remedy=remedy)
    try:
        key = load_pem_public_key(pem.strip().encode("ascii")) if pem.count("-----BEGIN ") == 1 else None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise _unusable("must be one RSA public key in PEM, such as openssl pkey -pubout prints")
    if not MIN_KEY_BITS <= key.key_size <= MAX_KEY_BITS:
        raise _unusable(f"the key has {key.key_size} bits; it must have {MIN_KEY_BITS} to {MAX_KEY_BITS}")
    exponent = key.public_numbers().e
    if not MIN_EXPONENT <= exponent < MAX_EXPONENT or not exponent % 2:
        raise _unusable(f"the key's public exponent must be odd and at least {MIN_EXPONENT}; 65537 is usual")
    return key


def _unusable(message: str) -> InvalidInput:
    remedy = "Make a pair with: openssl genrsa -out private.pem 2048 && openssl rsa -in private.pem -pubout"
    return invalid("publicKeyPem", message, code="bad-key", remedy=remedy)


def _members(segment: str, *, part: str) -> dict[str, Any]:
    try:
        return parse_json(urlsafe_b64decode(segment.encode("ascii")), dict[str, Any])
    except (ValueError, InvalidInput) as error:
        raise BadToken(f"The token's {part} is not a JSON object in base64url.") from error


def _claims(payload: bytes) -> _Claims:
    try:
        return msgspec.convert(parse_json(payload, dict[str, Any]), _Claims)
    except InvalidInput as error:
        raise BadToken(f"The token's claims cannot be read: {error}") from error
    except msgspec.ValidationError as error:
        raise BadToken(f"The token's claims are not as they must be: {error}") from error


def _check_time(claims: _Claims, audiences: AbstractSet[str], *, now: int) -> None:
    """Check whether the token is meant for us and now. That ``exp`` is near follows from ``iat`` and the life."""
    if not 0 < claims.exp - claims.iat <= MAX_LIFE_SECONDS:
        raise BadToken(
            f"The token must live {MAX_LIFE_SECONDS} seconds at most: exp - iat is {claims.exp - claims.iat}."
        )
    checked = {name: value for name in ("exp", "iat", "nbf", "aud") if (value := getattr(claims, name)) is not UNSET}
    if isinstance(claims.aud, tuple):
        checked["aud"] = list(claims.aud)
    try:
        JWTClaimsRegistry(now=now, leeway=LEEWAY_SECONDS, aud={"values": sorted(audiences)}).validate(checked)
    except JoseError as error:
        raise BadToken(f"The token is refused: {error.description}.") from error
