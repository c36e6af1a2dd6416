"""Reading a manifest: from text, YAML or JSON, or from a decoded request, to a value that passed every check."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from installations.amp_yaml import Source, parse_yaml
from installations.capabilities import ProviderFacts
from installations.errors import InvalidInput, Issue
from installations.manifest import IntegrationSpec, Manifest, ReadObject, SubscribeObject, WriteObject
from installations.manifest_checks import Known, integration_issues
from installations.plain import plain_issues
from installations.setting_checks import repeated
from installations.shape import decode, examine, parse_plain

_OBJECTS: tuple[tuple[str, type], ...] = (("read", ReadObject), ("write", WriteObject), ("subscribe", SubscribeObject))


def parse_manifest(
    text: str | bytes, *, providers: Mapping[str, ProviderFacts], destinations: Collection[str] | None = None
) -> tuple[Manifest, tuple[Issue, ...]]:
    """Read the text of an ``amp.yaml``; JSON is welcome too, as nearly all of it is YAML.

    Names of members match whatever their case, as the published tools convert them. Returns the manifest and warnings.

    Raises:
        InvalidInput: all that is wrong, and the warnings, in the order of the text.
    """
    source = _source(text)
    known = Known(providers=providers, destinations=destinations)
    canonical, issues = examine(source.data, Manifest, unknown="warn", any_case=True)
    issues += _judge(canonical, issues, known)
    warnings = _settle(_placed(issues, source))
    return decode(canonical, Manifest), warnings


def read_integration(
    data: Any, *, path: str, providers: Mapping[str, ProviderFacts], destinations: Collection[str] | None = None
) -> tuple[IntegrationSpec, tuple[Issue, ...]]:
    """Read one integration that came as decoded JSON, such as the content of a new revision.

    Raises:
        InvalidInput: all that is wrong, with paths under ``path``.
    """
    known = Known(providers=providers, destinations=destinations)
    canonical, issues = examine(data, IntegrationSpec, path=path, unknown="warn", any_case=True)
    issues += _judge_one(canonical, path, issues, known)
    warnings = _settle(issues)
    return decode(canonical, IntegrationSpec, path=path), warnings


def _source(text: str | bytes) -> Source:
    """Read YAML; JSON that is no YAML (it may escape characters as surrogate pairs) is read as JSON, without lines."""
    try:
        return parse_yaml(text)
    except InvalidInput as refused:
        encoded = text if isinstance(text, bytes) else text.encode(errors="replace")
        if refused.issues[0].code != "invalid-yaml" or not encoded.lstrip().startswith(b"{"):
            raise
        return _json_source(encoded, refused)


def _json_source(text: bytes, refused: InvalidInput) -> Source:
    try:
        data = parse_plain(text)
    except InvalidInput:
        raise refused from None
    issues = plain_issues(data)
    if issues:
        raise InvalidInput(issues)
    return Source(data=data, lines={})


def _settle(issues: list[Issue]) -> tuple[Issue, ...]:
    if any(issue.severity == "error" for issue in issues):
        raise InvalidInput(issues)
    return tuple(issues)


def _placed(issues: list[Issue], source: Source) -> list[Issue]:
    placed = [msgspec.structs.replace(issue, line=source.line(issue.path)) for issue in issues]
    return sorted(placed, key=lambda issue: issue.line or 0)


def _judge(canonical: Any, found: list[Issue], known: Known) -> Iterator[Issue]:
    listed = canonical.get("integrations") if isinstance(canonical, dict) else None
    if not isinstance(listed, list):
        return
    if not listed:
        yield Issue(path="integrations", code="required", message="needs at least one integration")
    for index, data in enumerate(listed):
        yield from _judge_one(data, f"integrations[{index}]", found, known)
    names = [str(data.get("name")) if isinstance(data, dict) else "" for data in listed]
    for index, name in repeated(names):
        if name:
            message = f"{name!r} is already the name of another integration"
            yield Issue(path=f"integrations[{index}].name", code="duplicate-name", message=message)


def _judge_one(data: Any, path: str, found: list[Issue], known: Known) -> list[Issue]:
    """Judge one integration; where its shape is broken, judge all of it that is whole."""
    if not _broken(path, found):
        return list(integration_issues(decode(data, IntegrationSpec, path=path), path, known))
    if not isinstance(data, dict):
        return []
    whole, stubs = _without_broken(data, path, found)
    try:
        spec = decode(whole, IntegrationSpec, path=path)
    except InvalidInput:
        return []  # What is broken is named already, and nothing more can be told.
    return [issue for issue in integration_issues(spec, path, known) if _tells(issue, path, stubs, found)]


def _without_broken(data: dict[str, Any], path: str, found: list[Issue]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Leave out what is broken; an object keeps its place and, if it has one, its name. Answers the paths of these."""
    whole = {"name": "?", "provider": "?"} | {
        name: value for name, value in data.items() if not _broken(f"{path}.{name}", found)
    }
    stubs: list[str] = []
    for action, _ in _OBJECTS:
        objects = _objects(data, action)
        for index, each in enumerate(objects):
            where = f"{path}.{action}.objects[{index}]"
            if _broken(where, found):
                stubs.append(where)
                objects = [*objects[:index], _stub(each, where), *objects[index + 1 :]]
        if objects:
            whole[action] = {"objects": objects}
    if "read" in data and "read" not in whole:
        # Whether these find what they inherit cannot be told from what is left.
        whole = {name: value for name, value in whole.items() if name not in {"write", "subscribe"}}
    return whole, tuple(stubs)


def _stub(each: Any, where: str) -> dict[str, str]:
    name = each.get("objectName") if isinstance(each, dict) else None
    return {"objectName": name if isinstance(name, str) else where, "destination": ""}


def _tells(issue: Issue, path: str, stubs: tuple[str, ...], found: list[Issue]) -> bool:
    """Tell a finding about what was written from one about what we left out."""
    if issue.path == path or _broken(issue.path, found):
        return False
    return not any(issue.path.startswith(f"{stub}.") and issue.path != f"{stub}.objectName" for stub in stubs)


def _broken(path: str, found: list[Issue]) -> bool:
    inside = tuple(path + mark for mark in (".", "[")) if path else ("",)
    return any(i.severity == "error" and (i.path == path or i.path.startswith(inside)) for i in found)


def _objects(data: Any, action: str) -> list[Any]:
    section = data.get(action) if isinstance(data, dict) else None
    objects = section.get("objects") if isinstance(section, dict) else None
    return objects if isinstance(objects, list) else []
