"""What ``docs/connecting.md`` prints works: every body for ``connections:generate``, and how a token is signed."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES
from tests.server.house import House, open_house
from tests.server.signing import bearer, key_pair, register

PAGE = (Path(__file__).parents[2] / "docs" / "connecting.md").read_text("utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


BODIES = [msgspec.json.decode(text) for text in blocks("json generate")]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    others = [SandboxConnector(provider) for provider in SANDBOXES if provider.name != "sandbox"]
    async with open_house(connectors=others) as opened:
        yield opened


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body["provider"])
async def test_a_body_makes_a_connection_that_works(house: House, body: dict[str, Any]) -> None:
    answer = await house.call("POST", "/connections:generate", json=body)
    assert (answer.status_code, answer.json().get("status")) == (201, "working"), answer.text


def test_every_way_without_a_window_has_a_body() -> None:
    by_window = {"sandboxOAuth", "sandboxOAuthCode", "sandboxSteps"}
    in_the_readme = {"sandbox"}
    shown = {body["provider"] for body in BODIES}
    assert shown == {provider.name for provider in SANDBOXES} - by_window - in_the_readme


async def test_a_token_signed_as_printed_is_let_in(house: House) -> None:
    (source,) = blocks("python")
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 -- the page of this repository
    pem = key_pair("builder").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    token = names["token_for"]("g1", "c1", private_pem=pem, kid=await register(house))
    answer = await house.client.get(f"/v1/projects/{house.project_id}/connections", headers=bearer(token))
    assert (answer.status_code, answer.json()) == (200, [])
