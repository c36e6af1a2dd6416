"""Keys and tokens, as a builder's backend makes them, and as an attacker would."""

import base64
import json
import time
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.server.house import House


@cache
def key_pair(name: str, /) -> rsa.RSAPrivateKey:
    """Make the pair of this name, once: it takes a tenth of a second."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(name: str = "builder") -> str:
    return pem_of(key_pair(name).public_key())


def pem_of(key: Any) -> str:
    text: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def b64(data: bytes | dict[str, Any]) -> str:
    """Encode a part of a token."""
    raw = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: bytes | dict[str, Any], claims: bytes | dict[str, Any], *, by: str = "builder") -> str:
    """Sign whatever it is with RS256."""
    text = f"{b64(header)}.{b64(claims)}"
    return f"{text}.{b64(key_pair(by).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def header_for(kid: str, **more: Any) -> dict[str, Any]:
    return {"alg": "RS256", "typ": "JWT", "kid": kid, **more}


def claims_at(now: float, **more: Any) -> dict[str, Any]:
    """Answer the claims of a good token issued at ``now``; ``more`` adds or replaces, and ``None`` removes."""
    claims = {"groupRef": "g1", "consumerRef": "c1", "iat": int(now), "exp": int(now) + 300, "sub": "anyone", **more}
    return {name: value for name, value in claims.items() if value is not None}


def token(kid: str, *, by: str = "builder", **claims: Any) -> str:
    """Sign a good token, from now on for five minutes."""
    return signed(header_for(kid), claims_at(time.time(), **claims), by=by)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def register(house: House, *, name: str = "builder", key: str | None = None, project: str | None = None) -> str:
    """Register a pair's public half, by the house's full key or another one; its ``kid``."""
    answer = await house.client.post(
        f"/v1/projects/{project or house.project_id}/jwt-keys",
        headers={"X-Api-Key": key or house.key},
        json={"label": name, "algorithm": "RS256", "publicKeyPem": public_pem(name)},
    )
    assert answer.status_code == 201, answer.text
    kid: str = answer.json()["kid"]
    return kid
