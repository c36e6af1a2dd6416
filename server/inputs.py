"""What a provider asks its customers to fill in, held against what they gave: every issue at once, each with its path.

No issue quotes a value: it may be a secret.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from connectors.provider import CustomInput, CustomOpts, MetadataInput, Provider
from connectors.templates import placeholders
from installations.errors import Issue, at
from installations.installation import MetadataValue

_FOR_HEADERS = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
"""RFC 9110, section 5.5, without what transports disagree on."""


def metadata_issues(provider: Provider, values: Mapping[str, str]) -> Iterator[Issue]:
    """List the declared inputs of an account, such as its region, that nobody gave and that have no default.

    ``values`` are those of `account_values`. More than is declared may be given. What only other modules need than
    the provider's default one is nobody's: integrations of others cannot be deployed. Forms leave it out too.
    """
    for item in provider.metadata.input if provider.metadata is not UNSET else ():
        if item.default_value is UNSET and not values.get(item.name) and _is_asked(item, provider.default_module):
            message = f"this provider needs it: {item.display_name or item.name}"
            yield Issue(path=at("providerMetadata", item.name), message=message, code="required", remedy=item.prompt)


def _is_asked(item: MetadataInput, module: str) -> bool:
    """Tell whether a module needs an input; one without modules is everybody's, and no module needs them all."""
    return not module or item.module_dependencies is UNSET or module in item.module_dependencies


def as_given(
    metadata: Mapping[str, MetadataValue] | UnsetType, *, known: Mapping[str, MetadataValue] | UnsetType = UNSET
) -> dict[str, MetadataValue] | UnsetType:
    """Answer metadata as a caller's own: only what is ``known`` already may say that it comes from elsewhere."""
    if metadata is UNSET:
        return UNSET
    stands = known or {}
    return {
        name: value if stands.get(name) == value else replace(value, source="input") for name, value in metadata.items()
    }


def completed(
    metadata: Mapping[str, MetadataValue] | UnsetType, provider: Provider, *, workspace_ref: str | UnsetType
) -> dict[str, MetadataValue]:
    """Complete metadata by declared inputs that stand elsewhere: the workspace in its reference, others as defaults.

    The embedded UI asks the customer again while a connection lacks a declared input.
    """
    found: dict[str, str] = {}
    for item in provider.metadata.input if provider.metadata is not UNSET else ():
        value = workspace_ref if item.name == "workspace" and workspace_ref else item.default_value
        if value:
            found[item.name] = value
    return {**{name: MetadataValue(value=value) for name, value in found.items()}, **(metadata or {})}


def custom_issues(provider: Provider, given: Mapping[str, str], *, path: str = "customAuth") -> Iterator[Issue]:
    """List what is missing of a custom scheme, unknown to it, or cannot be sent.

    Where customers bring a part of it back from a page of the provider's, that part is wanted too.
    """
    options = CustomOpts() if provider.custom_opts is UNSET else provider.custom_opts
    yield from _issues(provider, given, wanted=(*(options.inputs or ()), *_brought(options)), path=path)


def step_issues(provider: Provider, given: Mapping[str, str], *, path: str = "customAuth") -> Iterator[Issue]:
    """List the same for a scheme in steps, whose customer has yet to go to the provider's page."""
    options = CustomOpts() if provider.custom_opts is UNSET else provider.custom_opts
    yield from _issues(provider, given, wanted=options.inputs or (), path=path)


def brought_issues(provider: Provider, brought: Mapping[str, str], *, path: str = "callbackParams") -> Iterator[Issue]:
    """List what a customer did not bring back, or what cannot be sent. More than is declared may be there."""
    options = CustomOpts() if provider.custom_opts is UNSET else provider.custom_opts
    wanted = _brought(options)
    known = {item.name: brought[item.name] for item in wanted if item.name in brought}
    yield from _issues(provider, known, wanted=wanted, path=path)


def _brought(options: CustomOpts) -> tuple[CustomInput, ...]:
    return tuple(CustomInput(name=name, display_name=name) for name in options.callback_params or ())


def _issues(
    provider: Provider, given: Mapping[str, str], *, wanted: Sequence[CustomInput], path: str
) -> Iterator[Issue]:
    in_headers = _names_in_headers(provider)
    for item in wanted:
        issue = _issue(item, given.get(item.name, ""), at(path, item.name), in_header=item.name in in_headers)
        if issue is not None:
            yield issue
    names = [item.name for item in wanted]
    for name in given:
        if name not in names:
            message = f"{provider.display_name} asks for no such input; it asks for {', '.join(names) or 'none'}"
            yield Issue(path=at(path, name), message=message, code="unknown-input")


def _issue(item: CustomInput, value: str, path: str, *, in_header: bool) -> Issue | None:
    if not value:
        return Issue(
            path=path, message=f"this provider needs it: {item.display_name}", code="required", remedy=item.prompt
        )
    choices = [choice.value for choice in item.options or ()]
    if choices and value not in choices:
        return Issue(path=path, message=f"must be one of {', '.join(choices)}", code="bad-value")
    if in_header and not _FOR_HEADERS.fullmatch(value):
        message = "must be visible ASCII without space around it, since it goes into a header"
        return Issue(path=path, message=message, code="bad-value")
    return None


def _names_in_headers(provider: Provider) -> set[str]:
    options = CustomOpts() if provider.custom_opts is UNSET else provider.custom_opts
    traded = () if options.token_request is UNSET else options.token_request.headers
    return {name for item in (*(options.headers or ()), *traded) for name in placeholders(item.value_template)}
