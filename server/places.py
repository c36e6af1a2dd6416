"""Where customers' accounts live and where their tokens are had: the connectors of this server, and their addresses."""

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from msgspec import UNSET, UnsetType

from connectors.connector import Account, Connector
from connectors.provider import Provider
from installations.errors import InvalidInput, Issue, NotFound, invalid
from installations.installation import MetadataValue

_PLACEHOLDER = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")
_ORIGIN = re.compile(r"https?://[^/?#]*")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_VALUE = re.compile(_LABEL, re.IGNORECASE)
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL}){{0,3}}", re.IGNORECASE)
"""A Salesforce sandbox is ``acme--dev.sandbox``; dots are safe where the provider's own domain follows."""


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where tokens of one account are had, placeholders filled."""

    authorize: str
    """Empty where no browser is sent anywhere."""
    token: str
    issuer: str | None


class Places:
    """The addresses of accounts and of their token endpoints, where the operator has not moved them elsewhere."""

    def __init__(self, connectors: Iterable[Connector], *, provider_urls: Mapping[str, str]) -> None:
        self._connectors = {connector.provider.name: connector for connector in connectors}
        self._moves = dict(_moves(self.providers.values(), provider_urls))

    @property
    def providers(self) -> dict[str, Provider]:
        """The providers by name, in the catalog's order."""
        return {name: connector.provider for name, connector in self._connectors.items()}

    def connector(self, provider: str) -> Connector:
        """Find a connector. Raises `NotFound`."""
        try:
            return self._connectors[provider]
        except KeyError:
            raise unknown_provider(provider) from None

    def account(
        self,
        provider: str,
        *,
        workspace_ref: str | UnsetType = UNSET,
        metadata: Mapping[str, MetadataValue] | UnsetType = UNSET,
    ) -> Account:
        """Fill the base URL. Raises `InvalidInput` with every value that is missing or not allowed."""
        values = account_values(workspace_ref=workspace_ref, metadata=metadata)
        declared = self.connector(provider).provider
        base_url = fill(self.moved(declared, declared.base_url), _with_defaults(declared, values)).rstrip("/")
        return Account(base_url=base_url, metadata=values)

    def module_account(self, account: Account, provider: str, module: str) -> Account:
        """Answer an account below the base URL of one of the provider's modules; the provider's own where it has none.

        Raises `InvalidInput` as `account` does.
        """
        declared = self.connector(provider).provider
        modules = declared.modules or {}
        found = modules.get(module or declared.default_module)
        if found is None:
            return account
        base_url = fill(self.moved(declared, found.base_url), _with_defaults(declared, account.metadata)).rstrip("/")
        return Account(base_url=base_url, metadata=account.metadata)

    def endpoints(self, provider: str, values: Mapping[str, str]) -> Endpoints:
        """Answer where tokens are had, ``values`` filled in (`account_values`).

        Where the operator has moved the provider's base URL, endpoints of the same origin move along.
        Raises `NotFound`, and `InvalidInput` with every value that is missing or not allowed, or where the provider
        gives no tokens.
        """
        declared = self.connector(provider).provider
        authorize, token, issuer = _endpoint_templates(declared)
        known = _with_defaults(declared, values)
        return Endpoints(
            authorize=fill(self.moved(declared, authorize), known),
            token=fill(self.moved(declared, token), known),
            issuer=None if issuer is None else fill(self.moved(declared, issuer), known),
        )

    def leads_elsewhere(self, provider: str, values: Mapping[str, str], *, than: Mapping[str, str]) -> bool:
        """Tell whether an account with ``values`` is called at other addresses ``than`` it was with those before.

        An address that could not be filled before was never called, so it does not count. Raises `NotFound`.
        """
        declared = self.connector(provider).provider
        before, after = _with_defaults(declared, than), _with_defaults(declared, values)
        for template in _templates(declared):
            was = _filled(template, before)
            if was is not None and was != _filled(template, after):
                return True
        return False

    def moved(self, provider: Provider, endpoint: str) -> str:
        """Answer where one of the provider's own URLs lies, which may be where the operator has moved it."""
        move = self._moves.get(provider.name)
        if move is None:
            return endpoint
        if endpoint == move.base or endpoint.startswith((f"{move.base}/", f"{move.base}?")):
            return move.to + endpoint.removeprefix(move.base)
        origin = _origin(move.base)
        return _origin(move.to) + endpoint.removeprefix(origin) if _origin(endpoint) == origin else endpoint


class _Move(msgspec.Struct, frozen=True, kw_only=True):
    base: str
    to: str


def _moves(providers: Iterable[Provider], provider_urls: Mapping[str, str]) -> Iterator[tuple[str, _Move]]:
    """Tell which providers were moved: those that were named, and those at the same origin that were not.

    One server may be several entries of the catalog, as the sandbox is.
    """
    known = {provider.name: provider.base_url.rstrip("/") for provider in providers}
    named = {
        name: _Move(base=known[name], to=provider_urls[name].rstrip("/")) for name in known if name in provider_urls
    }
    for name, base in known.items():
        neighbours = (move for move in named.values() if _origin(move.base) == _origin(base))
        move = named.get(name) or next(neighbours, None)
        if move is not None:
            yield name, move


def unknown_provider(provider: str) -> NotFound:
    """Build the error for a provider that is not in the catalog."""
    return NotFound([Issue(path="provider", message=f"there is no provider {provider!r}", code="unknown-provider")])


def account_values(
    *, workspace_ref: str | UnsetType = UNSET, metadata: Mapping[str, MetadataValue] | UnsetType = UNSET
) -> dict[str, str]:
    """Collect what fills a provider's placeholders."""
    values = {name: entry.value for name, entry in (metadata or {}).items()}
    if workspace_ref is not UNSET:
        values.setdefault("workspace", workspace_ref)
    return values


def _endpoint_templates(provider: Provider) -> tuple[str, str, str | None]:
    if provider.oauth2_opts is not UNSET:
        options = provider.oauth2_opts
        return options.auth_url or "", options.token_url, options.issuer or None
    if provider.custom_opts is not UNSET and provider.custom_opts.token_request is not UNSET:
        return "", provider.custom_opts.token_request.url, None
    raise invalid("provider", f"{provider.display_name} gives no tokens", code="not-supported")


def _templates(provider: Provider) -> Iterator[str]:
    """List the addresses that a customer's credentials are sent to."""
    yield provider.base_url
    yield from (module.base_url for module in (provider.modules or {}).values())
    try:
        yield from filter(None, _endpoint_templates(provider))
    except InvalidInput:
        return


def _filled(template: str, values: Mapping[str, str]) -> str | None:
    try:
        return fill(template, values)
    except InvalidInput:
        return None


def _origin(template: str) -> str:
    found = _ORIGIN.match(template)
    return found[0] if found else ""


def fill(template: str, values: Mapping[str, str]) -> str:
    """Put values into a URL. Raises `InvalidInput` with every value that is missing or not allowed."""
    issues = [
        issue for name in dict.fromkeys(_PLACEHOLDER.findall(template)) if (issue := _issue(template, name, values))
    ]
    if issues:
        raise InvalidInput(issues)
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _issue(template: str, name: str, values: Mapping[str, str]) -> Issue | None:
    path = f"providerMetadata.{name}"
    value = values.get(name, "")
    if not value:
        return Issue(path=path, message="this provider needs it, to know where the account lives", code="required")
    allowed = _SUBDOMAIN if "{{." + name + "}}." in template else _VALUE
    if not allowed.fullmatch(value):
        return Issue(path=path, message="only letters, digits and inner hyphens are allowed", code="bad-value")
    return None


def _with_defaults(provider: Provider, values: Mapping[str, str]) -> dict[str, str]:
    inputs = provider.metadata.input if provider.metadata is not UNSET else ()
    defaults = {item.name: item.default_value for item in inputs if item.default_value is not UNSET}
    return {**defaults, **values}
