"""What the API answers about configs, beside the installations themselves."""

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import ConfigContent
from installations.errors import Issue
from installations.installation import Installation


class Edited(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of an installation that was edited."""

    installation: Installation
    """As it is now; after a dry run, as it would be. The config of a dry run has an id that nothing else has."""
    issues: tuple[Issue, ...]
    """Warnings."""
    changed: tuple[str, ...]
    """What differs now, as paths of an update mask; empty where everything was so already."""


class Reviewed(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What saving a draft would say."""

    issues: tuple[Issue, ...]
    content: ConfigContent | UnsetType = UNSET
    """The draft, filled in; absent if its shape makes no config."""
