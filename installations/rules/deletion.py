"""Deletion: only where the customer has switched it on, and then the id is all that is sent."""

from installations.errors import Issue
from installations.rules import sources as origins
from installations.rules.draft import Draft
from installations.rules.sources import Sources
from installations.rules.trace import Ruling, Step


def ruling(sources: Sources) -> Ruling:
    """Tell whether deletion is allowed, and which setting says so."""
    settings = sources.write_config.deletion_settings
    setting = origins.join(sources.write_config_path, "deletionSettings", "enabled")
    return Ruling(value="always" if settings and settings.enabled else "never", setting=setting)


def judge(gate: Ruling) -> list[Issue]:
    """Find fault with a delete that was not switched on."""
    if gate.value == "always":
        return []
    message = "Deleting records of this object is not enabled for this customer."
    return [Issue(path="type", message=message, code="deletion-not-enabled", remedy=f"Set {gate.setting} to true.")]


def apply(gate: Ruling, draft: Draft) -> None:
    """Leave nothing of the record but its address."""
    draft.steps.append(Step(rule="deletion", deed="allowed", source=draft.address_name, setting=gate.setting))
    draft.steps += [Step(rule="deletion", deed="dropped", source=name, field=name) for name in draft.fields]
    draft.fields.clear()
