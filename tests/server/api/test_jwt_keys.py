"""JWT keys over HTTP, in the published shapes."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from server.clock import new_id
from tests.conftest import Published
from tests.server.house import ON_EVERY_STORE, House
from tests.server.signing import bearer, key_pair, pem_of, public_pem, register, token

PEM = public_pem()


@ON_EVERY_STORE
async def test_a_key_lives_as_published(house: House, published: Published) -> None:
    made = await house.call(
        "POST", "/jwt-keys", json={"label": "production", "algorithm": "RS256", "publicKeyPem": PEM}
    )
    assert made.status_code == 201
    kid = made.json()["kid"]
    assert made.json() == {"kid": kid}
    other = await register(house, name="other")

    shown = (await house.call("GET", f"/jwt-keys/{kid}")).json()
    assert published.errors("api.bundled", "JWTKey", shown) == []
    assert {name: shown[name] for name in ("id", "projectId", "label", "algorithm", "publicKeyPem", "active")} == {
        "id": kid,
        "projectId": house.project_id,
        "label": "production",
        "algorithm": "RSA",
        "publicKeyPem": PEM,
        "active": True,
    }

    change = {"updateMask": ["active", "label"], "jwtKey": {"active": False, "label": "old"}}
    changed = await house.call("PATCH", f"/jwt-keys/{kid}", json=change)
    assert changed.status_code == 200
    assert (changed.json()["active"], changed.json()["label"]) == (False, "old")
    assert changed.json()["updateTime"] >= shown["updateTime"]

    assert [key["id"] for key in (await house.call("GET", "/jwt-keys")).json()] == [kid, other]
    assert [key["id"] for key in (await house.call("GET", "/jwt-keys?active=false")).json()] == [kid, other]
    assert [key["id"] for key in (await house.call("GET", "/jwt-keys?active=true")).json()] == [other]

    gone = await house.call("DELETE", f"/jwt-keys/{kid}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await house.call("GET", f"/jwt-keys/{kid}")).status_code == 404


async def test_the_words_of_the_published_examples_are_taken(house: House) -> None:
    body = {"name": "production-key-1", "algorithm": "RSA", "publicKeyPem": PEM}
    kid = (await house.call("POST", "/jwt-keys", json=body)).json()["kid"]
    assert (await house.call("GET", f"/jwt-keys/{kid}")).json()["label"] == "production-key-1"
    renaming = {"updateMask": ["name"], "jwtKey": {"name": "updated-key-name"}}
    assert (await house.call("PATCH", f"/jwt-keys/{kid}", json=renaming)).json()["label"] == "updated-key-name"


def private_pem(kind: PrivateFormat) -> str:
    return key_pair("builder").private_bytes(Encoding.PEM, kind, NoEncryption()).decode()


def rsa_pem(*, bits: int = 2048, exponent: int = 65537) -> str:
    return pem_of(rsa.generate_private_key(public_exponent=exponent, key_size=bits).public_key())


def exponent_pem(exponent: int) -> str:
    return pem_of(rsa.RSAPublicNumbers(exponent, key_pair("builder").public_key().public_numbers().n).public_key())


BAD_KEYS: list[tuple[str, str, str]] = [
    ("private PKCS 8", private_pem(PrivateFormat.PKCS8), "private key"),
    ("private PKCS 1", private_pem(PrivateFormat.TraditionalOpenSSL), "private key"),
    ("private of OpenSSH", private_pem(PrivateFormat.OpenSSH), "private key"),
    ("public and private", PEM + private_pem(PrivateFormat.PKCS8), "private key"),
    ("two keys", PEM + public_pem("other"), "one RSA public key"),
    ("1024 bits", rsa_pem(bits=1024), "1024 bits"),
    ("exponent 3", rsa_pem(exponent=3), "exponent"),
    ("exponent 257", exponent_pem(257), "exponent"),
    ("a huge exponent", exponent_pem(2**64 + 1), "exponent"),
    ("elliptic", pem_of(ec.generate_private_key(ec.SECP256R1()).public_key()), "one RSA public key"),
    ("Ed25519", pem_of(ed25519.Ed25519PrivateKey.generate().public_key()), "one RSA public key"),
    ("DSA", pem_of(dsa.generate_private_key(2048).public_key()), "one RSA public key"),
    ("cut short", PEM[:200] + "\n-----END PUBLIC KEY-----\n", "one RSA public key"),
    ("no frame", "".join(PEM.splitlines()[1:-1]), "one RSA public key"),
    ("no PEM at all", "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A", "one RSA public key"),
    ("a certificate's frame", PEM.replace("PUBLIC KEY", "CERTIFICATE"), "one RSA public key"),
    ("letters beyond ASCII", PEM + "ключ", "one RSA public key"),
    ("JSON", '{"kty":"RSA","n":"AQAB","e":"AQAB"}', "one RSA public key"),
]


@pytest.mark.parametrize(("pem", "said"), [row[1:] for row in BAD_KEYS], ids=[row[0] for row in BAD_KEYS])
async def test_a_key_that_is_not_safe_to_use_is_refused_by_name(house: House, pem: str, said: str) -> None:
    answer = await house.call("POST", "/jwt-keys", json={"label": "x", "algorithm": "RS256", "publicKeyPem": pem})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    (issue,) = answer.json()["validationIssues"]
    assert issue["field"] == "publicKeyPem"
    assert said in issue["detail"]
    assert issue["remedy"]
    body = "".join(pem.splitlines()[2:3])
    assert not body or body not in answer.text
    assert (await house.call("GET", "/jwt-keys")).json() == []


async def test_a_key_in_the_older_frame_works(house: House) -> None:
    pem = key_pair("builder").public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    body = {"label": "x", "algorithm": "RS256", "publicKeyPem": f"\n{pem}\n"}
    kid = (await house.call("POST", "/jwt-keys", json=body)).json()["kid"]
    path = f"/v1/projects/{house.project_id}/integrations"
    assert (await house.client.get(path, headers=bearer(token(kid)))).status_code == 200


GOOD = {"label": "x", "algorithm": "RS256", "publicKeyPem": PEM}
BAD_BODIES: list[tuple[dict[str, Any], list[str]]] = [
    ({"algorithm": "RS256", "publicKeyPem": PEM}, ["label"]),
    ({**GOOD, "label": ""}, ["label"]),
    ({**GOOD, "label": "x" * 256}, ["label"]),
    ({**GOOD, "algorithm": "ECDSA"}, ["algorithm"]),
    ({**GOOD, "algorithm": "HS256"}, ["algorithm"]),
    ({"label": "x", "publicKeyPem": PEM}, ["algorithm"]),
    ({**GOOD, "publicKeyPem": ""}, ["publicKeyPem"]),
    ({**GOOD, "publicKeyPem": 5}, ["publicKeyPem"]),
    ({}, ["algorithm", "publicKeyPem"]),
    ({"algorithm": "RS256", "publicKeyPem": "x"}, ["label", "publicKeyPem"]),
]


@pytest.mark.parametrize(("body", "fields"), BAD_BODIES)
async def test_every_thing_wrong_is_named_under_both_names(
    house: House, published: Published, body: dict[str, Any], fields: list[str]
) -> None:
    answer = await house.call("POST", "/jwt-keys", json=body)
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
    assert [issue["field"] for issue in problem["validationIssues"]] == fields
    assert [issue["name"] for issue in problem["issues"]] == fields
    assert published.errors("api.bundled", "ApiProblem", problem) == []


BAD_CHANGES: list[tuple[dict[str, Any], int]] = [
    ({"updateMask": ["active"], "jwtKey": {}}, 422),
    ({"updateMask": ["active", "label"], "jwtKey": {"active": True}}, 422),
    ({"updateMask": ["publicKeyPem"], "jwtKey": {"publicKeyPem": PEM}}, 400),
    ({"updateMask": ["id"], "jwtKey": {}}, 400),
    ({"updateMask": [], "jwtKey": {"active": True}}, 400),
    ({"jwtKey": {"active": True}}, 400),
    ({"updateMask": ["active"], "jwtKey": {"active": "no"}}, 400),
]


@pytest.mark.parametrize(("change", "status"), BAD_CHANGES)
async def test_a_change_that_cannot_be_is_refused_whole(house: House, change: dict[str, Any], status: int) -> None:
    kid = await register(house)
    before = (await house.call("GET", f"/jwt-keys/{kid}")).json()
    answer = await house.call("PATCH", f"/jwt-keys/{kid}", json=change)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json()["validationIssues"]
    assert (await house.call("GET", f"/jwt-keys/{kid}")).json() == before


async def test_an_unknown_member_of_the_mask_is_answered_with_the_known_ones(house: House) -> None:
    kid = await register(house)
    answer = await house.call("PATCH", f"/jwt-keys/{kid}", json={"updateMask": ["pem"], "jwtKey": {}})
    assert answer.json()["remedy"] == "allowed: active, label, name"


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_key_that_does_not_exist_is_missed_in_the_published_label(house: House, method: str) -> None:
    body = {"updateMask": ["active"], "jwtKey": {"active": True}} if method == "PATCH" else None
    answer = await house.call(method, f"/jwt-keys/{new_id()}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")
    assert answer.json()["status"] == 404
    assert answer.json()["detail"]


async def test_a_frontend_key_registers_nothing(house: House) -> None:
    answer = await house.call("POST", "/jwt-keys", key=house.frontend_key, json=GOOD)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/json")
