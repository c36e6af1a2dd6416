"""What customers must fill in: every issue at once, each with its path, and nothing stored until all is right."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from connectors.provider import MetadataInput, OAuth2Opts, ProviderMetadata
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX, SANDBOXES
from installations.installation import MetadataValue
from server.api.credential_forms import CredentialForms, form_names, open_forms
from server.inputs import brought_issues, completed, step_issues
from tests.server.api.credential_input_cases import (
    ASKING,
    BY_NAME,
    CHANGES,
    FITTING,
    FORMS,
    ISSUES,
    ODD,
    REFUSED,
    VALUES,
    WORKS,
)
from tests.server.house import House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    more = [SandboxConnector(provider) for provider in (*SANDBOXES[1:], ASKING)]
    async with open_house(connectors=more) as opened:
        yield opened


async def generate(house: House, provider: str, **members: Any) -> Any:
    body = {"provider": provider, "groupRef": "g1", "consumerRef": "c1", **members}
    return await house.call("POST", "/connections:generate", json=body)


def names(answer: Any) -> list[tuple[str, str]]:
    return [(issue["name"], issue["code"]) for issue in answer.json()["issues"]]


@pytest.mark.parametrize(("provider", "given", "scheme"), WORKS, ids=[f"{row[0]} {[*row[1]]}" for row in WORKS])
async def test_every_scheme_without_a_browser_makes_a_connection_that_works(
    house: House, provider: str, given: dict[str, Any], scheme: str
) -> None:
    answer = await generate(house, provider, **given)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["authScheme"], answer.json()["status"]) == (scheme, "working")
    assert DEMO_KEY not in answer.text
    shown = await house.call("GET", f"/providers/{provider}/objects/contacts/metadata?groupRef=g1")
    assert (shown.status_code, "email" in shown.json()["fields"]) == (200, True), shown.text


@pytest.mark.parametrize(("provider", "given", "member"), REFUSED, ids=[f"{row[0]} {row[2]}" for row in REFUSED])
async def test_what_the_provider_refuses_is_not_stored(
    house: House, provider: str, given: dict[str, Any], member: str
) -> None:
    answer = await generate(house, provider, **given)
    assert (answer.status_code, names(answer)) == (422, [(member, "credentials-refused")])
    assert ODD not in answer.text
    assert (await house.call("GET", "/connections")).json() == []


@pytest.mark.parametrize(("case", "provider", "given", "issues"), ISSUES, ids=[row[0] for row in ISSUES])
async def test_all_that_is_wrong_is_said_at_once(
    house: House, case: str, provider: str, given: dict[str, Any], issues: list[tuple[str, str]]
) -> None:
    del case
    before = (await house.call("GET", "/connections")).json()
    answer = await generate(house, provider, **given)
    assert (answer.status_code, names(answer)) == (422, issues)
    assert ODD not in answer.text
    assert (await house.call("GET", "/connections")).json() == before


@pytest.mark.parametrize("provider", [name for name in BY_NAME if name != "sandboxOpen"])
async def test_a_way_that_is_not_the_providers_is_refused_by_name(house: House, provider: str) -> None:
    fitting = form_names(BY_NAME[provider])
    assert fitting
    for member, value in FORMS.items():
        if member in fitting:
            continue
        answer = await generate(house, provider, **{member: value})
        (issue,) = answer.json()["issues"]
        assert (answer.status_code, issue["name"], issue["code"]) == (422, member, "credentials")
        several = "one of " if len(fitting) > 1 else ""
        assert issue["remedy"] == f"Give {several}{', '.join(fitting)}."
        assert ODD not in answer.text


@pytest.mark.parametrize(("provider", "fitting"), FITTING)
def test_forms_follow_from_what_a_provider_declares(provider: str, fitting: Sequence[str]) -> None:
    assert form_names(BY_NAME[provider]) == fitting


def test_a_provider_without_credentials_wants_none() -> None:
    assert open_forms(CredentialForms(), provider=BY_NAME["sandboxOpen"]).scheme == "none"


async def test_credentials_for_a_provider_that_wants_none_are_refused(house: House) -> None:
    answer = await generate(house, "sandboxOpen", apiKey=ODD)
    (issue,) = answer.json()["issues"]
    assert (issue["name"], issue["remedy"]) == ("apiKey", "Give no credentials.")


async def test_a_change_names_its_issues_below_the_connection(house: House) -> None:
    made = (await generate(house, "sandboxCustom", customAuth=VALUES)).json()
    change = {"updateMask": ["customAuth"], "connection": {"customAuth": {"workspace": "", "tenant": ODD}}}
    answer = await house.call("PATCH", f"/connections/{made['id']}", json=change)
    assert names(answer) == [
        ("connection.customAuth.workspace", "required"),
        ("connection.customAuth.secret", "required"),
        ("connection.customAuth.region", "required"),
        ("connection.customAuth.tenant", "unknown-input"),
    ]
    change = {"updateMask": ["apiKey"], "connection": {"apiKey": ODD}}
    answer = await house.call("PATCH", f"/connections/{made['id']}", json=change)
    assert names(answer) == [("connection.apiKey", "credentials")]
    change = {"updateMask": ["customAuth"], "connection": {"customAuth": {**VALUES, "secret": ODD}}}
    answer = await house.call("PATCH", f"/connections/{made['id']}", json=change)
    assert names(answer) == [("connection.customAuth", "credentials-refused")]
    right = {"updateMask": ["customAuth"], "connection": {"customAuth": VALUES}}
    assert (await house.call("PATCH", f"/connections/{made['id']}", json=right)).status_code == 200


@pytest.mark.parametrize(("provider", "given", "scheme"), CHANGES, ids=[f"{row[0]} {[*row[1]]}" for row in CHANGES])
async def test_new_credentials_are_taken_by_the_scheme_that_a_connection_has(
    house: House, provider: str, given: dict[str, Any], scheme: str
) -> None:
    made = (await generate(house, provider, **given)).json()
    change = {"updateMask": [*given], "connection": given}
    answer = await house.call("PATCH", f"/connections/{made['id']}", json=change)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["authScheme"], answer.json()["status"]) == (scheme, "working")
    stored = await house.services.store.credentials(house.project_id, made["id"])
    assert stored.version == 2


async def test_a_connection_does_not_change_its_scheme_even_where_the_provider_has_both(house: House) -> None:
    by_key = (await generate(house, "sandboxKeyAsBasic", apiKey=DEMO_KEY)).json()
    basic = {"username": DEMO_KEY, "password": ""}
    by_password = (await generate(house, "sandboxKeyAsBasic", basicAuth=basic)).json()
    changes: list[tuple[str, str, Any]] = [
        (by_key["id"], "basicAuth", basic),
        (by_password["id"], "apiKey", DEMO_KEY),
    ]
    for connection_id, member, value in changes:
        change = {"updateMask": [member], "connection": {member: value}}
        answer = await house.call("PATCH", f"/connections/{connection_id}", json=change)
        assert (answer.status_code, names(answer)) == (422, [(f"connection.{member}", "credentials")])
        assert "which does not change" in answer.json()["detail"]
        assert (await house.services.store.credentials(house.project_id, connection_id)).version == 1


async def test_a_change_cannot_take_away_what_the_provider_needs(house: House) -> None:
    filled = {"region": {"value": "eu", "source": "input"}, "hub": {"value": "h1", "source": "input"}}
    made = (await generate(house, "asking", customAuth=VALUES, providerMetadata=filled)).json()
    change = {"updateMask": ["providerMetadata"], "connection": {"providerMetadata": {"hub": filled["hub"]}}}
    answer = await house.call("PATCH", f"/connections/{made['id']}", json=change)
    assert (answer.status_code, names(answer)) == (422, [("connection.providerMetadata.region", "required")])
    kept = (await house.call("GET", f"/connections/{made['id']}")).json()["providerMetadata"]
    assert kept == {**filled, "plan": {"value": "free", "source": "input"}}


def test_the_embedded_ui_finds_every_declared_input_in_a_connection() -> None:
    free, mine = MetadataValue(value="free"), {"plan": MetadataValue(value="gold")}
    assert completed(UNSET, ASKING, workspace_ref=UNSET) == {"plan": free}
    assert completed(mine, ASKING, workspace_ref="demo") == mine
    workspace = replace(ASKING, metadata=ProviderMetadata(input=(MetadataInput(name="workspace"),)))
    assert completed({}, workspace, workspace_ref="demo") == {"workspace": MetadataValue(value="demo")}
    assert completed({}, workspace, workspace_ref=UNSET) == {}
    assert completed(UNSET, BY_NAME["sandboxCustom"], workspace_ref="demo") == {}


async def test_the_inputs_are_in_the_catalog(house: House) -> None:
    shown = (await house.client.get("/v1/providers/sandboxCustom")).json()
    assert shown["customOpts"]["inputs"] == [
        {
            "name": "workspace",
            "displayName": "Workspace",
            "prompt": "Such as demo",
            "docsURL": "http://127.0.0.1:8090/",
            "fieldType": "fieldTypeText",
        },
        {
            "name": "secret",
            "displayName": "Secret",
            "prompt": "A key of the workspace",
            "docsURL": "http://127.0.0.1:8090/",
        },
        {
            "name": "region",
            "displayName": "Region",
            "prompt": "Where the workspace is",
            "fieldType": "fieldTypeSelect",
            "options": [{"value": "eu", "label": "Europe"}, {"value": "us", "label": "United States"}],
        },
    ]
    asking = (await house.client.get("/v1/providers/asking")).json()
    assert [item["name"] for item in asking["metadata"]["input"]] == ["region", "plan", "hub"]


def test_steps_ask_for_their_inputs_first_and_for_the_rest_afterwards() -> None:
    steps = BY_NAME["sandboxSteps"]
    assert list(step_issues(steps, {})) == []
    assert [issue.path for issue in step_issues(steps, {"secret": ODD})] == ["customAuth.secret"]
    brought = {"workspace": "demo", "secret": f"{ODD}\n", "state": ODD}
    issues = list(brought_issues(steps, brought))
    assert [(issue.path, issue.code) for issue in issues] == [
        ("callbackParams.secret", "bad-value"),
        ("callbackParams.region", "required"),
    ]
    assert ODD not in str(issues)


def test_a_provider_of_no_grant_takes_keys_alone() -> None:
    assert form_names(replace(SANDBOX, auth_type="oauth2", api_key_opts=UNSET)) == ["apiKey"]
    options = OAuth2Opts(grant_type="password", token_url="https://p.test/token")
    assert form_names(replace(SANDBOX, auth_type="oauth2", oauth2_opts=options))[0] == "oauth2PasswordCredentials"


MODULES: list[tuple[str, list[str]]] = [("crm", ["shared", "tenant"]), ("", ["shared", "tenant", "list"])]
"""A provider's default module, and the inputs that are demanded then."""


@pytest.mark.parametrize(("module", "demanded"), MODULES)
async def test_an_input_of_other_modules_is_nobody_s(module: str, demanded: list[str]) -> None:
    inputs = (
        MetadataInput(name="shared"),
        MetadataInput(name="tenant", module_dependencies={"crm": {}}),
        MetadataInput(name="list", module_dependencies={"mail": {}}),
    )
    provider = replace(ASKING, metadata=ProviderMetadata(input=inputs), default_module=module)
    async with open_house(connectors=[SandboxConnector(provider)]) as house:
        refused = await generate(house, "asking", customAuth=VALUES)
        assert names(refused) == [(f"providerMetadata.{name}", "required") for name in demanded]
        given = {name: {"value": "a"} for name in demanded}
        made = await generate(house, "asking", customAuth=VALUES, providerMetadata=given)
        assert made.status_code == 201, made.text
