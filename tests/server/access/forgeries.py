"""What attackers send for a token. Each is made of what a good one is made of, and none may be let in."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jwe
from joserfc.jwk import RSAKey

from tests.server.signing import b64, claims_at, header_for, key_pair, public_pem, signed

NOBODY = "0199aaaa-0000-7000-8000-000000000000"
"""Looks like a key's id."""


class Scene(NamedTuple):
    """What an attacker can know: the ids of keys, the public key, the time, and a good token of somebody else's."""

    kid: str
    rival_kid: str
    inactive_kid: str
    deleted_kid: str
    now: float

    @property
    def good(self) -> str:
        return signed(header_for(self.kid), claims_at(self.now))

    def parts(self) -> tuple[str, str, str]:
        header, payload, signature = self.good.split(".")
        return header, payload, signature


Forge = Callable[[Scene], str | bytes]
"""Makes the value of the ``Authorization`` header."""


def _bearer(make: Callable[[Scene], str]) -> Forge:
    return lambda scene: f"Bearer {make(scene)}"


def _header(**more: Any) -> Forge:
    """Sign with the real key under a header that has these members instead; ``None`` leaves one out."""

    def make(scene: Scene) -> str:
        members = {**header_for(scene.kid), **more}
        header = {name: value for name, value in members.items() if value is not None}
        return signed(header, claims_at(scene.now))

    return _bearer(make)


def _raw_header(text: str | bytes) -> Forge:
    """Sign with the real key under a header that reads so; ``KID`` stands for the key's id."""
    raw = text if isinstance(text, bytes) else text.encode()
    return _bearer(lambda scene: signed(raw.replace(b"KID", scene.kid.encode()), claims_at(scene.now)))


def _claims(**more: Any) -> Forge:
    """Sign other claims with the real key; ``None`` leaves one out, numbers are seconds from now if `At`."""

    def make(scene: Scene) -> str:
        timed = {name: value(scene.now) if callable(value) else value for name, value in more.items()}
        return signed(header_for(scene.kid), claims_at(scene.now, **timed))

    return _bearer(make)


def _raw_claims(text: str | bytes) -> Forge:
    """Sign a payload that reads so; ``IAT`` and ``EXP`` stand for good times."""
    raw = text if isinstance(text, bytes) else text.encode()

    def make(scene: Scene) -> str:
        now = int(scene.now)
        payload = raw.replace(b"IAT", str(now).encode()).replace(b"EXP", str(now + 300).encode())
        return signed(header_for(scene.kid), payload)

    return _bearer(make)


def _at(seconds: int) -> Callable[[float], int]:
    return lambda now: int(now) + seconds


def _unsigned(alg: Any, signature: str = "") -> Forge:
    return _bearer(
        lambda scene: f"{b64({**header_for(scene.kid), 'alg': alg})}.{b64(claims_at(scene.now))}.{signature}"
    )


def _with_signature(make: Callable[[Scene], bytes], **header: Any) -> Forge:
    def forge(scene: Scene) -> str:
        return f"{b64({**header_for(scene.kid), **header})}.{b64(claims_at(scene.now))}.{b64(make(scene))}"

    return _bearer(forge)


def _hmac(secret: bytes, alg: str = "HS256") -> Forge:
    """Sign with the public key as if it were a shared secret."""

    def make(scene: Scene) -> str:
        text = f"{b64({**header_for(scene.kid), 'alg': alg})}.{b64(claims_at(scene.now))}"
        return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"

    return _bearer(make)


def _es256(scene: Scene) -> str:
    text = f"{b64({**header_for(scene.kid), 'alg': 'ES256'})}.{b64(claims_at(scene.now))}"
    r, s = decode_dss_signature(ec.generate_private_key(ec.SECP256R1()).sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _real_key(alg: str, scheme: padding.AsymmetricPadding, algorithm: hashes.HashAlgorithm) -> Forge:
    """Sign with the real key by another algorithm."""

    def make(scene: Scene) -> str:
        text = f"{b64({**header_for(scene.kid), 'alg': alg})}.{b64(claims_at(scene.now))}"
        return f"{text}.{b64(key_pair('builder').sign(text.encode(), scheme, algorithm))}"

    return _bearer(make)


def _attackers(**more: Any) -> Forge:
    """Sign with the attacker's own key, and bring it along."""
    return _bearer(lambda scene: signed(header_for(scene.kid, **more), claims_at(scene.now), by="attacker"))


def _jwk() -> dict[str, Any]:
    members: dict[str, Any] = dict(RSAKey.import_key(public_pem("attacker")).as_dict(private=False))
    return members


def _swapped_payload(scene: Scene) -> str:
    header, _, signature = scene.parts()
    return f"{header}.{b64(claims_at(scene.now, groupRef='g2'))}.{signature}"


def _swapped_header(scene: Scene) -> str:
    _, payload, signature = scene.parts()
    return f"{b64(header_for(scene.kid, x='1'))}.{payload}.{signature}"


def _encrypted(scene: Scene) -> str:
    key = RSAKey.import_key(public_pem())
    header = {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": scene.kid}
    return jwe.encrypt_compact(header, json.dumps(claims_at(scene.now)), key)


def _flattened(scene: Scene) -> str:
    header, payload, signature = scene.parts()
    return json.dumps({"protected": header, "payload": payload, "signature": signature})


def _number(value: int) -> bytes:
    return value.to_bytes(256, "big")


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _loose_end(scene: Scene) -> str:
    """Change bits of the last letter that stand for nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    head, last = scene.good[:-1], scene.good[-1]
    return head + alphabet[alphabet.index(last) ^ 1]


NO_ALGORITHMS: tuple[Any, ...] = ("rs256", "RS256 ", "RS256\0", "\uff32\uff33256", "EdDSA", ["RS256"], 256)
NO_REFS: tuple[Any, ...] = ("", [], ["g1"], {}, {"a": 1}, 1, True, "g" * 256, "g1\0")
MODULUS = key_pair("builder").public_key().public_numbers().n
REST = '"groupRef":"g1","consumerRef":"c1","iat":IAT,"exp":EXP'
GOOD = '{"groupRef":"g1","consumerRef":"c1","iat":IAT,"exp":'

ALGORITHMS: list[tuple[str, Forge]] = [
    *((f"alg {alg}", _unsigned(alg)) for alg in ("none", "None", "NONE", "nOnE", "")),
    ("alg none with a signature", _unsigned("none", "AAAA")),
    ("alg none with the good signature", _bearer(lambda s: f"{b64({'alg': 'none'})}.{s.parts()[1]}.{s.parts()[2]}")),
    ("HS256 by the public key", _hmac(public_pem().encode())),
    ("HS256 by the public key without its last line break", _hmac(public_pem().strip().encode())),
    ("HS256 by an empty secret", _hmac(b"")),
    ("HS256 that says RS256", _hmac(public_pem().encode(), "RS256")),
    ("ES256 by somebody's key", _bearer(_es256)),
    ("ES256 of zeros", _with_signature(lambda _: bytes(64), alg="ES256")),
    ("PS256 by the real key", _real_key("PS256", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())),
    ("PSS that says RS256", _real_key("RS256", padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())),
    ("RS384 by the real key", _real_key("RS384", padding.PKCS1v15(), hashes.SHA384())),
    ("RS512 by the real key", _real_key("RS512", padding.PKCS1v15(), hashes.SHA512())),
    ("SHA-1 that says RS256", _real_key("RS256", padding.PKCS1v15(), hashes.SHA1())),  # noqa: S303 -- an attack
    *(
        (f"alg {alg!r}", _header(alg=alg))
        for alg in ("rs256", "RS256 ", "RS256\0", "\uff32\uff33256", "EdDSA", ["RS256"], 256)
    ),
    ("alg missing", _header(alg=None)),
    ("alg null", _raw_header('{"alg":null,"kid":"KID"}')),
    ("alg an object", _header(alg={"name": "RS256"})),
]

SIGNATURES: list[tuple[str, Forge]] = [
    ("of zeros", _with_signature(lambda _: bytes(256))),
    ("of one", _with_signature(lambda _: _number(1))),
    ("of the modulus", _with_signature(lambda _: _number(MODULUS))),
    ("of the modulus less one", _with_signature(lambda _: _number(MODULUS - 1))),
    ("of one byte", _with_signature(lambda _: b"\0")),
    ("of a byte too many", _with_signature(lambda s: b"\0" + base64.urlsafe_b64decode(s.parts()[2] + "=="))),
    ("of too many bytes", _with_signature(lambda _: bytes(1000))),
    ("by the attacker's key", _attackers()),
    ("by another project's key", _bearer(lambda s: signed(header_for(s.kid), claims_at(s.now), by="rival"))),
    ("of another payload", _bearer(_swapped_payload)),
    ("of another header", _bearer(_swapped_header)),
    ("cut by a letter", _bearer(lambda s: s.good[:-1])),
    ("cut in half", _bearer(lambda s: s.good[:-170])),
    ("with a loose end", _bearer(_loose_end)),
    ("padded", _bearer(lambda s: s.good + "==")),
    ("left out", _bearer(lambda s: ".".join(s.parts()[:2]))),
    ("empty", _bearer(lambda s: ".".join((*s.parts()[:2], "")))),
]

KIDS: list[tuple[str, Forge]] = [
    *(
        (f"kid {kid!r}", _header(kid=kid))
        for kid in (
            *("", "../../../../dev/null", "/etc/passwd", "C:\\keys\\public.pem", "https://evil.test/key.pem"),
            *("' OR '1'='1", "x' UNION SELECT 'pem' --", '"; DROP TABLE jwt_keys; --', "%", "*", "_", NOBODY),
            *("x" * 65, "x" * 600, "\0", "kid\nkid", "ключ", "key one"),
            *(7, 1.5, True, ["a"], {"a": "b"}),
        )
    ),
    ("kid missing", _header(kid=None)),
    ("kid null", _raw_header('{"alg":"RS256","kid":null}')),
    ("kid in capitals", _bearer(lambda s: signed(header_for(s.kid.upper()), claims_at(s.now)))),
    ("kid with a blank", _bearer(lambda s: signed(header_for(f" {s.kid}"), claims_at(s.now)))),
    ("kid with a NUL", _bearer(lambda s: signed(header_for(f"{s.kid}\0"), claims_at(s.now)))),
    ("kid in a list", _bearer(lambda s: signed({**header_for(""), "kid": [s.kid]}, claims_at(s.now)))),
    ("kid of another project's key", _bearer(lambda s: signed(header_for(s.rival_kid), claims_at(s.now)))),
    ("kid of a key that is off", _bearer(lambda s: signed(header_for(s.inactive_kid), claims_at(s.now)))),
    ("kid of a key that was deleted", _bearer(lambda s: signed(header_for(s.deleted_kid), claims_at(s.now)))),
]

HEADERS: list[tuple[str, Forge]] = [
    ("the attacker's jwk", _attackers(jwk=_jwk())),
    ("the attacker's jku", _attackers(jku="https://evil.test/keys")),
    ("the attacker's x5u", _attackers(x5u="https://evil.test/cert")),
    ("the attacker's x5c", _attackers(x5c=["MIIB"])),
    ("a jwk beside the real signature", _header(jwk=_jwk())),
    ("a jku beside the real signature", _header(jku="https://evil.test/keys")),
    ("an x5u beside the real signature", _header(x5u="https://evil.test/cert")),
    ("an x5c beside the real signature", _header(x5c=["MIIB"])),
    ("crit", _header(crit=["exp"], exp="1")),
    ("crit of nothing", _header(crit=[])),
    ("b64 false", _header(b64=False, crit=["b64"])),
    ("b64 true", _header(b64=True)),
    ("enc", _header(enc="A256GCM")),
    ("zip", _header(zip="DEF")),
    ("typ of another kind of token", _header(typ="at+jwt")),
    ("typ a number", _header(typ=1)),
    ("an object where text belongs", _header(x5t={"a": "b"})),
    ("alg twice", _raw_header('{"alg":"none","alg":"RS256","kid":"KID"}')),
    ("kid twice", _raw_header('{"alg":"RS256","kid":"x","kid":"KID"}')),
    ("no object", _raw_header('["RS256","KID"]')),
    ("text", _raw_header('"alg"')),
    ("null", _raw_header("null")),
    ("empty", _raw_header("{}")),
    ("no JSON", _raw_header("alg=RS256")),
    ("JSON and more", _raw_header('{"alg":"RS256","kid":"KID"}{}')),
    ("a byte order mark", _raw_header(b'\xef\xbb\xbf{"alg":"RS256","kid":"KID"}')),
    ("UTF-16", _raw_header('{"alg":"RS256","kid":"KID"}'.encode("utf-16"))),
    ("not UTF-8", _raw_header(b'{"alg":"RS256","kid":"KID","x":"\xff"}')),
    ("deep", _raw_header('{"alg":"RS256","kid":"KID","x":' + _nested(300) + "}")),
    ("longer than 1 KB", _header(x="a" * 800)),
]

SHAPES: list[tuple[str, Forge]] = [
    ("nothing", _bearer(lambda _: "")),
    ("dots", _bearer(lambda _: "..")),
    ("one part", _bearer(lambda s: s.parts()[1])),
    ("four parts", _bearer(lambda s: f"{s.good}.AAAA")),
    ("a dot at the end", _bearer(lambda s: f"{s.good}.")),
    ("a dot in front", _bearer(lambda s: f".{s.good}")),
    ("a detached payload", _bearer(lambda s: f"{s.parts()[0]}..{s.parts()[2]}")),
    ("encrypted to the public key", _bearer(_encrypted)),
    ("JSON serialization", _bearer(_flattened)),
    ("100 KB", _bearer(lambda s: f"{s.parts()[0]}.{'A' * 100_000}.{s.parts()[2]}")),
    ("8 KB and a byte", _bearer(lambda s: f"{s.parts()[0]}.{'A' * 8192}.{s.parts()[2]}")),
    ("signed and too long", _claims(x="a" * 7000)),
    ("not base64", _bearer(lambda s: s.good.replace(".", ".!", 1))),
    ("the other base64", _bearer(lambda s: s.good.replace("-", "+").replace("_", "/") + "+/")),
    ("a blank inside", _bearer(lambda s: s.good.replace(".", ". ", 1))),
    ("a line break inside", _bearer(lambda s: s.good.replace(".", ".\n", 1))),
    ("a NUL at the end", _bearer(lambda s: s.good + "\0")),
    ("letters of other scripts", _bearer(lambda s: s.good.replace("e", "е", 1))),  # noqa: RUF001 -- Cyrillic
    ("percent-encoded", _bearer(lambda s: s.good.replace(".", "%2E"))),
    ("in other case", _bearer(lambda s: s.good.swapcase())),
]

CLAIMS: list[tuple[str, Forge]] = [
    ("a life of 601 seconds", _claims(exp=_at(601))),
    ("a life of a day", _claims(exp=_at(86_400))),
    ("a long life that began long ago", _claims(iat=_at(-86_400))),
    ("issued in the future", _claims(iat=_at(60), exp=_at(120))),
    ("over", _claims(iat=_at(-331), exp=_at(-31))),
    ("over long ago", _claims(iat=1, exp=301)),
    ("over before it was issued", _claims(exp=_at(-1))),
    ("no life at all", _claims(exp=_at(0))),
    ("not yet", _claims(nbf=_at(32))),
    ("nbf text", _claims(nbf="0")),
    ("nbf a fraction", _claims(nbf=0.5)),
    ("nbf null", _raw_claims('{"nbf":null,' + REST + "}")),
    ("exp missing", _claims(exp=None)),
    ("iat missing", _claims(iat=None)),
    *(
        (f"exp {exp}", _raw_claims(GOOD + exp + "}"))
        for exp in (
            *("null", '"EXP"', "EXP.0", "EXP.5", "true", "NaN", "Infinity", "-Infinity", "-1", "1e400", "1e3"),
            *("99999999999999999999999", "[EXP]", '{"a":EXP}', "0xFF", "0EXP", ""),
        )
    ),
    *((f"iat {iat!r}", _claims(iat=iat)) for iat in ("1", 1.5, True, -1, [1])),
    *((f"groupRef {ref!r}"[:60], _claims(groupRef=ref)) for ref in NO_REFS),
    *((f"consumerRef {ref!r}"[:60], _claims(consumerRef=ref)) for ref in NO_REFS),
    ("groupRef missing", _claims(groupRef=None)),
    ("groupRef null", _raw_claims('{"groupRef":null,"consumerRef":"c1","iat":IAT,"exp":EXP}')),
    ("groupRef by another name", _claims(groupRef=None, group_ref="g1")),
    ("consumerRef missing", _claims(consumerRef=None)),
    ("consumerRef null", _raw_claims('{"groupRef":"g1","consumerRef":null,"iat":IAT,"exp":EXP}')),
    ("groupRef twice", _raw_claims('{"groupRef":"g2",' + REST + "}")),
    ("exp twice", _raw_claims('{"exp":1,' + REST + "}")),
    ("a name twice far inside", _raw_claims("{" + REST + ',"x":{"a":1,"a":2}}')),
    ("half a letter", _raw_claims('{"x":"\\ud800",' + REST + "}")),
    ("not UTF-8", _raw_claims(b'{"x":"\xff",' + REST.encode() + b"}")),
    ("an array", _raw_claims("[{" + REST + "}]")),
    ("text", _raw_claims('"groupRef"')),
    ("no JSON", _raw_claims("groupRef=g1")),
    ("empty", _raw_claims("{}")),
    ("deep", _raw_claims("{" + REST + ',"x":' + _nested(2000) + "}")),
    *(
        (f"aud {aud!r}", _claims(aud=aud))
        for aud in (
            *("https://evil.test", "rival", "", [], ["https://evil.test"], 1, {"a": "acme"}, ["acme", 1], "ACME"),
            *("http://isthmus.test/", "acme ", "http://isthmus.test:80"),
        )
    ),
    ("aud null", _raw_claims('{"aud":null,' + REST + "}")),
]

SPELLINGS: list[tuple[str, Forge]] = [
    *(
        (f"spelt {before!r} and {after!r}", lambda s, b=before, a=after: f"{b}{s.good}{a}")
        for before, after in (
            *(("", ""), ("Bearer", ""), ("Bearer  ", ""), ("Bearer\t", ""), ("Bearer:", ""), ("Bearer=", "")),
            *(("Token ", ""), ("JWT ", ""), ("Basic ", ""), ("DPoP ", ""), ("Bearer Bearer ", ""), (" Bearer ", "")),
            *(('Bearer "', '"'), ("Bearer token=", ""), ("Bearer ", " extra"), ("Bearer ", ", Bearer x")),
            *(("Ｂearer ", ""), ("Bearer\u00a0", "")),  # noqa: RUF001 -- a full-width letter, a hard space
        )
    ),
    ("nothing", lambda _: ""),
    ("the word alone", lambda _: "Bearer"),
    ("bytes", lambda s: b"Bearer \xff\xfe" + s.good.encode()),
]

FORGERIES: list[tuple[str, Forge]] = [
    (f"{group}: {name}", forge)
    for group, rows in (
        ("algorithm", ALGORITHMS),
        ("signature", SIGNATURES),
        ("kid", KIDS),
        ("header", HEADERS),
        ("shape", SHAPES),
        ("claims", CLAIMS),
        ("spelling", SPELLINGS),
    )
    for name, forge in rows
]
