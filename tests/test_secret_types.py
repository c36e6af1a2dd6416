"""What holds a secret does not show it: in the whole house, by the names and types of fields."""

import importlib
import pkgutil
import re
import sys
import traceback
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from connectors.secret import Secret, Veiled
from server.api.credential_forms import BasicAuthForm, TokenForm, TokensForm
from server.settings import Settings
from tests.canaries import WORD, canary

ROOMS = ("installations", "connectors", "headless", "server")
NAMES = re.compile(
    r"secret|token|password|key|verifier|ticket|cookie|credential|authorization|jwt|nonce|completion|confirmation"
    r"|state$|session|code$|header|params|details|content$|payload|pem|database_url"
)
"""How fields are called that may hold a secret."""
PLAIN = (str, bytes, Any)

NO_SECRET = {
    # the fields of these names, wherever they are, and why they are none
    "error_code": "the name of a kind of problem",
    "status_code": "as above",
    "key_id": "the public name of a key",
    "public_key_pem": "public",
    "next_page_token": "a place in a list",
    "record_key": "the id of a record",
    "upsert_keys": "names of fields",
    "match_key": "a name of a field",
    "token_url": "an address",
    "token_path": "a place in a JSON document",
    "from_state": "a state of an operation",
    "to_state": "as above",
    "batch_key": "a digest of what operations of one call share",
    "gather_key": "as above",
    "cookie_name": "its name, not its value",
    "master_key": "the name of a master key",
}
EXPLAINED = {
    # one field of one struct, and why it is none
    "connectors.hubspot.answers.Input.key": "HubSpot's word for the name of an input",
    "connectors.hubspot.faults._Detail.code": "the name of a kind of problem; so are the next eight",
    "headless.calls._Told.code": "",
    "headless.embed.Asset.content": "what every browser is given",
    "installations.errors.Issue.code": "",
    "installations.record.Fault.code": "",
    "installations.value_fit.Misfit.code": "",
    "server.api.jwt_keys.JwtKeyProblem.code": "",
    "server.api.problems.Problem.code": "",
    "server.api.problems.ProblemDocument.code": "",
    "server.api.problems.ProblemIssue.code": "",
    "connectors.provider.ApiKeyAsBasicOpts.key_format": "a template without the key",
    "connectors.provider.CustomOpts.callback_params": "names of parameters",
    "connectors.provider.OAuth2Opts.auth_url_params": "what every customer's browser carries",
    "installations.record.Change.keys": "ids of operations, by which a provider knows a repetition",
    "installations.record.Header.key": "the name of a header",
    "installations.mask.InstallationUpdate.content": "a config",
    "installations.operation.Operation.payload": "a plan; what a customer's records hold is sealed where it is stored",
    "server.api.installations.SubmittedConfig.content": "a config",
    "server.api.drafts.PreviewWrite.content": "a config",
    "server.api.drafts.ReviewConfig.content": "a config",
    "server.api.integrations.NewRevision.content": "a manifest",
    "server.api.operation_log.LogMessage.details": "what an attempt came to, in words of our own",
    "server.api.provider_apps.ProviderAppMetadata.auth_query_params": "what every customer's browser carries",
    "server.api.provider_apps.ProviderAppMetadata.provider_params": "shown to whoever may see the provider app",
    "server.api.writes.Answer.headers": "our own answer's",
    "server.connecting.pages.Page.headers": "our own page's",
    "server.drafting.Draft.content": "a config",
    "server.installing.Wanted.content": "a config",
    "server.places.Endpoints.token": "an address",
    "server.proxying.passing.Answer.headers": "the provider's, on their way to a caller who keeps a full key",
    "server.revising.Revised.content": "a config",
    "server.store.backlog.Heap.state": "a state of operations",
    "server.store.contract.operations.IdempotencyKey.key": "a name that the caller gave to a request",
    "server.store.contract.processes.Upload.content": "a manifest",
}


def structs() -> list[type[msgspec.Struct]]:
    for room in ROOMS:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    found = {kind for kind in _below(msgspec.Struct) if kind.__module__.split(".")[0] in ROOMS and _is_written(kind)}
    # The sandbox is a provider that holds nothing worth a secret, and shows it on purpose.
    return sorted((kind for kind in found if not kind.__module__.startswith("connectors.sandbox")), key=_name)


def _is_written(kind: type[Any]) -> bool:
    """Whether it stands in its module. The framework makes structs of handlers' signatures once an app was built."""
    return vars(sys.modules[kind.__module__]).get(kind.__name__) is kind


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _atoms(kind: Any) -> Iterator[Any]:
    if typing.get_origin(kind) is typing.Literal:
        return
    arguments = typing.get_args(kind)
    for argument in arguments:
        yield from () if isinstance(argument, list) else _atoms(argument)
    if not arguments:
        yield kind


def suspicious() -> list[str]:
    return [
        f"{_name(kind)}.{field.name}"
        for kind in structs()
        if not issubclass(kind, Veiled)
        for field in msgspec.structs.fields(kind)
        if NAMES.search(field.name) and any(atom in PLAIN for atom in _atoms(field.type))
    ]


def test_a_field_that_may_hold_a_secret_is_one_or_is_veiled_or_says_why_not() -> None:
    found = suspicious()
    unexplained = [name for name in found if name.rpartition(".")[2] not in NO_SECRET and name not in EXPLAINED]
    assert unexplained == [], "make them Secret, inherit Veiled, or say here why they hold none"
    assert sorted(set(EXPLAINED) - set(found)) == []
    assert sorted(set(NO_SECRET) - {name.rpartition(".")[2] for name in found}) == []


@pytest.mark.parametrize("kind", [k for k in structs() if issubclass(k, Veiled)], ids=lambda kind: kind.__name__)
def test_whoever_is_veiled_shows_its_name_alone(kind: type[Veiled]) -> None:
    assert kind.__repr__ is Veiled.__repr__
    assert kind.__str__ is object.__str__


def test_a_traceback_with_its_locals_shows_no_secret() -> None:
    form = BasicAuthForm(username="ada", password=canary())
    tokens = TokensForm(access_token=TokenForm(token=canary()))
    settings = Settings(database_url=f"postgresql://isthmus:{canary()}@db/x", master_keys=(f"k1:{canary()}",))
    secret = Secret(canary())
    try:
        raise KeyError(form, tokens, settings, secret)  # noqa: TRY301 -- a traceback is what is looked at
    except KeyError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "form = BasicAuthForm(***)" in told
    assert WORD not in told.replace(f"WORD = '{WORD}'", "")
