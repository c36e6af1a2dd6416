"""Signed tokens: what is let in, what never is, and for how long a good one is good."""

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installations.installation import JwtKey, Project
from server.access.errors import BadToken, Unauthenticated
from server.access.keyring import Access, Keyring
from server.access.tokens import signer_of, verify
from server.store.memory import MemoryStore
from tests.server.access.forgeries import FORGERIES, NOBODY, Forge, Scene
from tests.server.house import START
from tests.server.signing import b64, claims_at, header_for, public_pem, signed

PUBLIC_URL = "http://isthmus.test"
NOW = START.timestamp()
MUTATIONS = int(os.environ.get("ISTHMUS_MUTATIONS", "20000"))


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def jwt_key(key_id: str, project_id: str, *, pair: str = "builder", active: bool = True) -> JwtKey:
    return JwtKey(
        id=key_id,
        project_id=project_id,
        label="x",
        public_key_pem=public_pem(pair),
        active=active,
        create_time=START,
        update_time=START,
    )


async def inhabited() -> MemoryStore:
    """Two projects with a key each; one key that is off, and one that was there."""
    store = MemoryStore()
    for number, name in enumerate(("acme", "rival"), start=1):
        project = Project(id=f"p{number}", name=name, app_name=name, org_id="o", create_time=START)
        await store.create_project(project)
    await store.add_jwt_key(jwt_key("k1", "p1"))
    await store.add_jwt_key(jwt_key("k2", "p2", pair="rival"))
    await store.add_jwt_key(jwt_key("off", "p1", active=False))
    await store.add_jwt_key(jwt_key("gone", "p1"))
    await store.delete_jwt_key("p1", "gone")
    return store


SCENE = Scene(kid="k1", rival_kid="k2", inactive_kid="off", deleted_kid="gone", now=NOW)


async def shown(keyring: Keyring, value: str | bytes) -> Access:
    """Show the key ring a value of the ``Authorization`` header."""
    raw = value if isinstance(value, bytes) else value.encode("latin-1", errors="replace")
    return await keyring.admit([(b"host", b"isthmus.test"), (b"authorization", raw)])


def opened(store: MemoryStore, time: Time | None = None) -> Keyring:
    time = time or Time()
    return Keyring(store, public_url=PUBLIC_URL, clock=time, monotonic=time.monotonic)


async def test_a_good_token_speaks_for_its_person() -> None:
    access = await shown(opened(await inhabited()), f"Bearer {SCENE.good}")
    assert (access.project_id, access.key_id, access.reach) == ("p1", "k1", "token")
    assert (access.group_ref, access.consumer_ref) == ("g1", "c1")


def with_header(**more: Any) -> str:
    return signed({name: value for name, value in header_for("k1", **more).items() if value}, claims_at(NOW))


def with_claims(**more: Any) -> str:
    return signed(header_for("k1"), claims_at(NOW, **more))


GOOD = [
    ("no typ", with_header(typ=None)),
    ("typ in small letters", with_header(typ="jwt")),
    ("a thumbprint in the header", with_header(x5t="AAAA")),
    ("the longest life", with_claims(exp=int(NOW) + 600)),
    ("a clock that is ahead", with_claims(iat=int(NOW) + 30, exp=int(NOW) + 630)),
    ("a clock that is behind", with_claims(iat=int(NOW) - 329, exp=int(NOW) - 29)),
    ("nbf", with_claims(nbf=int(NOW))),
    ("nbf of a clock that is ahead", with_claims(nbf=int(NOW) + 30)),
    ("aud our URL", with_claims(aud=PUBLIC_URL)),
    ("aud the project's id", with_claims(aud="p1")),
    ("aud the project's name", with_claims(aud="acme")),
    ("aud several", with_claims(aud=["https://api.example.com", "acme"])),
    ("sub missing", with_claims(sub=None)),
    ("sub anything", with_claims(sub={"a": ["b"]})),
    ("claims of others", with_claims(iss="https://example.com", jti=7, roles=["admin"], email="a@b.co")),
]


@pytest.mark.parametrize("text", [row[1] for row in GOOD], ids=[row[0] for row in GOOD])
async def test_what_builders_libraries_make_is_let_in(text: str) -> None:
    assert (await shown(opened(await inhabited()), f"bearer {text}")).group_ref == "g1"


@pytest.mark.parametrize("ref", ["ü/ß:%2F 漢字 🙂", "g" * 255, "'; --", "../x"])
async def test_a_ref_may_be_any_text(ref: str) -> None:
    access = await shown(opened(await inhabited()), f"Bearer {with_claims(groupRef=ref, consumerRef=ref)}")
    assert (access.group_ref, access.consumer_ref) == (ref, ref)


def test_there_are_enough_forgeries_and_each_is_another_one() -> None:
    values = [forge(SCENE) for _, forge in FORGERIES]
    assert len({name for name, _ in FORGERIES}) == len(FORGERIES) >= 60
    # Signatures with a random part differ anyhow; among the others no two are the same attack.
    assert len(set(map(str, values))) == len(values)
    assert f"Bearer {SCENE.good}" not in values


@pytest.mark.parametrize("forge", [forge for _, forge in FORGERIES], ids=[name for name, _ in FORGERIES])
async def test_a_forgery_is_not_let_in(forge: Forge) -> None:
    keyring = opened(await inhabited())
    with pytest.raises(Unauthenticated):
        await shown(keyring, forge(SCENE))
    await shown(keyring, f"Bearer {SCENE.good}")
    with pytest.raises(Unauthenticated):
        await shown(keyring, forge(SCENE))


async def test_a_token_opens_the_project_of_its_key_and_no_other() -> None:
    token = signed(header_for("k2"), claims_at(NOW), by="rival")
    access = await shown(opened(await inhabited()), f"Bearer {token}")
    assert access.project_id == "p2"


async def test_refusals_tell_no_unknown_key_from_one_that_is_off_nor_from_a_wrong_signature() -> None:
    keyring = opened(await inhabited())
    told = set()
    for header, pair in ((header_for("off"), "builder"), (header_for(NOBODY), "builder"), (header_for("k1"), "rival")):
        with pytest.raises(BadToken) as caught:
            await shown(keyring, f"Bearer {signed(header, claims_at(NOW), by=pair)}")
        told.add(str(caught.value))
    assert len(told) == 1


async def test_a_token_that_is_known_ends_with_its_time() -> None:
    time = Time()
    keyring = opened(await inhabited(), time)
    await shown(keyring, f"Bearer {SCENE.good}")
    time.pass_by(329)
    await shown(keyring, f"Bearer {SCENE.good}")
    time.pass_by(1)
    with pytest.raises(BadToken, match="expired"):
        await shown(keyring, f"Bearer {SCENE.good}")


@pytest.mark.parametrize("change", ["off", "deleted"])
async def test_a_known_token_ends_within_a_second_of_its_key_although_nobody_announced_it(change: str) -> None:
    time = Time()
    store = await inhabited()
    keyring = opened(store, time)
    await shown(keyring, f"Bearer {SCENE.good}")
    if change == "off":
        await store.update_jwt_key("p1", "k1", now=START, active=False)
    else:
        await store.delete_jwt_key("p1", "k1")
    time.pass_by(1)
    with pytest.raises(BadToken, match="switched off"):
        await shown(keyring, f"Bearer {SCENE.good}")


async def test_a_known_token_ends_at_once_where_the_change_is_announced() -> None:
    store = await inhabited()
    keyring = opened(store)
    await shown(keyring, f"Bearer {SCENE.good}")
    await store.update_jwt_key("p1", "k1", now=START, active=False)
    keyring.forget()
    with pytest.raises(BadToken):
        await shown(keyring, f"Bearer {SCENE.good}")


async def test_a_key_that_is_switched_on_again_works_again() -> None:
    store = await inhabited()
    keyring = opened(store)
    await store.update_jwt_key("p1", "off", now=START, active=True)
    assert (await shown(keyring, f"Bearer {signed(header_for('off'), claims_at(NOW))}")).key_id == "off"


SIGNER = signer_of(jwt_key("k1", "p1"), audiences={PUBLIC_URL})
VALID = SCENE.good
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0{é"


def refused(text: str) -> None:
    """Check what the key ring checks, without the look-up."""
    with pytest.raises(BadToken):
        verify(text, SIGNER, now=int(NOW))


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0, len(VALID)), st.integers(0, 8), st.text(max_size=8)), min_size=1, max_size=4)
)
def test_a_good_token_with_pieces_exchanged_is_not_let_in(cuts: list[tuple[int, int, str]]) -> None:
    text = VALID
    for start, length, piece in cuts:
        text = text[:start] + piece + text[start + length :]
    if text != VALID:
        refused(text)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    header=st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "x"]), JSON_VALUES, max_size=4),
    claims=st.dictionaries(
        st.sampled_from(["groupRef", "consumerRef", "iat", "exp", "nbf", "aud", "sub"]), JSON_VALUES, max_size=4
    ),
    keep=st.booleans(),
)
def test_other_words_under_a_good_signature_are_not_let_in(
    header: dict[str, Any], claims: dict[str, Any], *, keep: bool
) -> None:
    whole = header_for("k1") | header if keep else header
    text = f"{b64(whole)}.{b64(claims_at(NOW) | claims)}.{VALID.split('.')[2]}"
    if text != VALID:
        refused(text)


def test_a_good_token_with_any_letter_changed_is_not_let_in() -> None:
    """``ISTHMUS_MUTATIONS=1000000`` tries harder."""
    dice = random.Random(20261122)  # noqa: S311 -- to be had again
    for _ in range(MUTATIONS):
        letters = list(VALID)
        for _ in range(dice.choice((1, 1, 1, 2, 5))):
            dice.choice(WAYS)(letters, dice)
        text = "".join(letters)
        if text == VALID:
            continue
        try:
            verify(text, SIGNER, now=int(NOW))
        except BadToken:
            continue
        pytest.fail(f"let in: {text!r}")


def _exchange(letters: list[str], dice: random.Random) -> None:
    letters[dice.randrange(len(letters))] = dice.choice(ALPHABET)


def _insert(letters: list[str], dice: random.Random) -> None:
    letters.insert(dice.randrange(len(letters)), dice.choice(ALPHABET))


def _remove(letters: list[str], dice: random.Random) -> None:
    del letters[dice.randrange(len(letters))]


def _swap(letters: list[str], dice: random.Random) -> None:
    first, second = dice.randrange(len(letters)), dice.randrange(len(letters))
    letters[first], letters[second] = letters[second], letters[first]


WAYS: tuple[Callable[[list[str], random.Random], None], ...] = (_exchange, _insert, _remove, _swap)
