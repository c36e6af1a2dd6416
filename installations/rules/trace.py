"""What a rule did to a field, as data: steps, and the rulings of settings that stand behind them.

Almost all are made when a config is compiled, not for each record. They are stored with the plan, and encode as arrays.
"""

from typing import Literal

import msgspec

from installations.config import WriteOnUpdate

RuleName = Literal["address", "mapping", "values", "defaults", "overwrite", "unmapped", "deletion"]

Deed = Literal[
    "mapped",
    "found",
    "agreed",
    "respelled",
    "stripped",
    "translated",
    "filled",
    "withheld",
    "written",
    "dropped",
    "pending",
    "allowed",
    "matched",
    "addressed",
    "unchanged",
]
"""``mapped``: reached the provider field under another name. ``found``: was inside an object sent under a native name.
``agreed``: a second name for a field, with the same value. ``respelled``: only upper and lower case were different.
``stripped``: a declared mapping this customer left open.
``translated``: a value mapping. ``filled``: a default. ``withheld``: a default not applied. ``written`` and
``dropped``: let through or not. ``pending``: needs the record as it is now. ``allowed``: deletion.
``matched`` and ``addressed``: tells which record is meant. ``unchanged``: no rule names it."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True):
    """What settings say about one thing, and which setting says it."""

    value: WriteOnUpdate = "always"
    setting: str = ""
    """The path of the deciding setting; empty where none was made and the default of the house holds."""
    instead_of: str = ""
    """The path of the setting that it overrides, if any."""


class Step(msgspec.Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True):
    """One thing that one rule did to one field."""

    rule: RuleName
    deed: Deed
    source: str = ""
    """The name in the request; empty where the value did not come from it under a name of its own."""
    field: str = ""
    """The provider's name; empty where it never reached one."""
    setting: str = ""
    instead_of: str = ""
    choice: str = ""
    """What an overwrite rule says: ``always``, ``never`` or ``ifEmpty``."""
    before: str = ""
    """For a value mapping: the caller's value and the provider's."""
    after: str = ""


class Gate(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A field whose fate depends on the record as it is now."""

    field: str
    rule: Literal["overwrite", "defaults"]
    on_create: Ruling
    on_update: Ruling
