"""A token that the command signs is one that is let in; what could not be is refused with a sentence."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from server.access.signing import BadSigner, sign_token
from server.access.tokens import signer_of, verify
from tests.server.access.test_tokens import jwt_key
from tests.server.signing import key_pair

NOW = 1_800_000_000


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *, passphrase: str = "") -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def signed(pem: bytes, *, kid: str = "k1", group_ref: str = "g1", seconds: int = 600) -> str:
    return sign_token(pem, kid=kid, group_ref=group_ref, consumer_ref="c1", now=NOW, seconds=seconds)


def test_what_is_signed_is_let_in() -> None:
    token = signed(pem_of(key_pair("builder")))
    person = verify(token, signer_of(jwt_key("k1", "p1"), audiences=set()), now=NOW)
    assert (person.group_ref, person.consumer_ref, person.expire_seconds) == ("g1", "c1", NOW + 600)


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 -- what is refused
REFUSED = [
    # the key, what else is asked, and a part of what is said
    (pem_of(key_pair("builder")), {"seconds": 601}, "600 seconds, not 601"),
    (pem_of(key_pair("builder")), {"seconds": 0}, "not 0"),
    (pem_of(key_pair("builder")), {"group_ref": ""}, "empty"),
    (b"-----BEGIN NOTHING-----", {}, "no private key"),
    (pem_of(key_pair("builder"), passphrase="x"), {}, "passphrase"),
    (pem_of(SMALL), {}, "2048 bits"),
    (pem_of(ec.generate_private_key(ec.SECP256R1())), {}, "must be RSA"),
]


@pytest.mark.parametrize(("pem", "asked", "said"), REFUSED, ids=[row[-1] for row in REFUSED])
def test_what_would_not_be_let_in_is_not_signed(pem: bytes, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSigner, match=said):
        signed(pem, **asked)
