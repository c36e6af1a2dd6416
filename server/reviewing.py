"""Judges a config before it stands: against its manifest, and against what the customer's own account has.

The account is asked through `Schemas`, so a config that is saved twice costs the provider nothing the second time. One
that cannot be asked in time keeps nobody from saving: what is not known is a warning.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from connectors.connector import CaseBlind, Textual
from installations.config import ConfigContent
from installations.config_checks import check_config
from installations.errors import InvalidInput, Issue
from installations.hydration import objects_of
from installations.install import CONTENT_PATH, build_config, misspelt
from installations.installation import Connection, Revision
from installations.manifest import IntegrationSpec
from installations.review import review
from installations.rules.objects import is_enabled
from installations.schema import ObjectMetadata
from server.deployments import provider_facts
from server.services import Services

SAVE_SECONDS = 5.0
"""How long saving waits for the account, in all."""
MOST_BYTES = 1_000_000
"""Of a config as JSON: as much as one request could bring. Many small changes must not add up to more."""
MOST_ISSUES = 500
"""How many findings one answer lists. Somebody who made more has made one mistake many times."""

Look = Literal["live", "anew", "away"]
"""Whether the customer's account is looked at: by what is known of it (``live``), asked again (``anew``), or not."""
replace = msgspec.structs.replace
_INDEX = re.compile(r"\[\d+\]")


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A config, filled in, and what was found."""

    content: ConfigContent
    revision: Revision
    """The one that it was judged by."""
    issues: tuple[Issue, ...]

    def require_sound(self) -> None:
        """Raises `InvalidInput` with every issue, warnings too, if one of them is an error."""
        if _has_errors(self.issues):
            raise InvalidInput(self.issues)


async def judge(
    services: Services,
    revisions: tuple[Revision, ...],
    submitted: Any,
    *,
    connection: Connection | None,
    standing: ConfigContent | None = None,
    look: Look = "live",
    within_seconds: float = SAVE_SECONDS,
) -> Judged:
    """Fill in a config and judge it, by the first of the revisions that allows it, else by the last.

    ``standing`` is the config that it replaces, on the same account: an error that this one has already is a warning,
    since nobody makes it now, and what was chosen long ago must not keep a change of something else from being saved.
    What the account has not said ``within_seconds`` is not known.

    Raises `InvalidInput` only for a shape that makes no config.
    """
    judged = await asyncio.to_thread(check, services, revisions, submitted, connection=connection)
    spec = judged.revision.content
    if look == "away" or connection is None or connection.provider != spec.provider:
        return replace(judged, issues=foremost(judged.issues))
    described = await services.schemas.described(
        connection, used_objects(spec, judged.content), refresh=look == "anew", within_seconds=within_seconds
    )
    # A config may be large, and writes must not wait for somebody's form.
    issues = await asyncio.to_thread(_live_issues, services, judged, described, standing)
    return replace(judged, issues=foremost((*judged.issues, *issues)))


def _live_issues(
    services: Services,
    judged: Judged,
    described: Mapping[str, ObjectMetadata | str],
    standing: ConfigContent | None,
) -> list[Issue]:
    spec = judged.revision.content
    issues = compare(services, spec, judged.content, described)
    if standing is None or not _has_errors(issues):
        return issues
    filled = build_config(spec, msgspec.to_builtins(standing))
    return tolerant(issues, known=compare(services, spec, filled, described))


def check(
    services: Services, revisions: tuple[Revision, ...], submitted: Any, *, connection: Connection | None
) -> Judged:
    """Fill in a config and judge it by its manifest alone. Raises `InvalidInput` as `judge` does."""
    provider = provider_facts(services).get(connection.provider) if connection is not None else None
    slips = misspelt(submitted)
    for revision in revisions:
        content = _built(revision, submitted, slips)
        judged = Judged(
            content=content,
            revision=revision,
            issues=(*slips, *_size_issues(content), *check_config(revision.content, content, provider=provider)),
        )
        if not _has_errors(judged.issues):
            break
    return judged


def _built(revision: Revision, submitted: Any, slips: list[Issue]) -> ConfigContent:
    try:
        return build_config(revision.content, submitted)
    except InvalidInput as error:
        # What is missing may be there under a name that is nearly its own.
        raise InvalidInput((*error.issues, *slips)) from error


def _size_issues(content: ConfigContent) -> Iterator[Issue]:
    size = len(msgspec.json.encode(content))
    if size > MOST_BYTES:
        message = f"the whole config may have {MOST_BYTES:,} bytes at most, and would have {size:,}"
        yield Issue(path=CONTENT_PATH, code="too-large", message=message)


def used_objects(spec: IntegrationSpec, content: ConfigContent) -> tuple[str, ...]:
    """Name the objects of the manifest that a config has on: what an account is asked for, and nothing else."""
    read = content.read.objects if content.read else {}
    written = {each.object_name for each in (spec.write.objects if spec.write else ()) if is_enabled(each, content)}
    return tuple(name for name in objects_of(spec) if name in read or name in written)


def compare(
    services: Services, spec: IntegrationSpec, content: ConfigContent, described: Mapping[str, ObjectMetadata | str]
) -> list[Issue]:
    """List what an account, as it was described, says against a config. The catalog knows how providers compare."""
    connector = services.accounts.connector(spec.provider)
    return review(
        spec,
        content,
        described,
        provider=provider_facts(services).get(spec.provider),
        ignores_case=isinstance(connector, CaseBlind),
        values_are_text=isinstance(connector, Textual),
    )


def tolerant(issues: list[Issue], *, known: list[Issue]) -> list[Issue]:
    """Make warnings of the errors that are known already, wherever in its list each stands now."""
    old = set(map(_fault, known))
    return [replace(issue, severity="warning") if _fault(issue) in old else issue for issue in issues]


def _fault(issue: Issue) -> tuple[str, str, str]:
    return _INDEX.sub("[]", issue.path), issue.code, issue.message


def foremost(issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """Cut a very long list, its errors first."""
    if len(issues) <= MOST_ISSUES:
        return issues
    ranked = sorted(issues, key=lambda issue: issue.severity)
    message = f"there are {len(issues) - MOST_ISSUES:,} more findings"
    more = Issue(path=CONTENT_PATH, code="more-issues", severity="warning", message=message)
    return (*ranked[:MOST_ISSUES], more)


def _has_errors(issues: tuple[Issue, ...] | list[Issue]) -> bool:
    return any(issue.severity == "error" for issue in issues)
