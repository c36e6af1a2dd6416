"""Which field of the customer's own account a name means: by exact name, in another case, or inside another field.

It refuses to know why a name was given. A description that lists no nested field at all is taken to be silent about
them, so a nested name under it is never called unknown: Salesforce takes ``$['Account']['Code__c']`` and lists neither.
"""

from typing import Literal

import msgspec

from installations import paths
from installations.guesses import Guesses
from installations.schema import FieldMetadata, ObjectMetadata

Standing = Literal["there", "other_case", "inside", "unsaid", "absent"]
"""``inside``: within a field whose inner fields are not listed. ``unsaid``: the description does not tell."""


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one picklist, ready to be looked up."""

    values: frozenset[str]
    meant: dict[str, str]
    """The value that a text means, by its folded spelling: a value in another case, else a title."""


class LiveObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object of the account, ready to be asked for fields."""

    title: str
    fields: dict[str, FieldMetadata]
    folded: dict[str, str]
    """Each name by its folded spelling; of two that differ only in case, the first."""
    parents: frozenset[str]
    """The folded names of fields whose inner fields are listed."""
    ignores_case: bool
    values_are_text: bool
    """The provider takes every value as text: ``5`` and ``"5"`` are the same to it."""
    picklists: dict[str, Choices]
    """By field name, each made ready once it is asked for: an account has hundreds, and a config names few."""
    guesses: Guesses


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """What a name means."""

    standing: Standing
    field: FieldMetadata | None = None
    """The field; for ``inside`` the one around it. Absent for ``unsaid`` and ``absent``."""

    @property
    def exact(self) -> FieldMetadata | None:
        """The field itself, if there is one that a provider would recognise."""
        return self.field if self.standing == "there" else None


def from_metadata(
    found: ObjectMetadata, *, ignores_case: bool, values_are_text: bool, guesses: Guesses | None = None
) -> LiveObject:
    """Make one described object ready. Those of one review share their ``guesses``."""
    fields = {paths.canonical(name): field for name, field in found.fields.items()}
    folded: dict[str, str] = {}
    for name in fields:
        folded.setdefault(name.casefold(), name)
    return LiveObject(
        title=found.display_name or found.name,
        fields=fields,
        folded=folded,
        parents=frozenset(around.casefold() for name in fields for around in _around(name)),
        ignores_case=ignores_case,
        values_are_text=values_are_text,
        picklists={},
        guesses=guesses or Guesses(),
    )


def choices(live: LiveObject, field: FieldMetadata) -> Choices:
    """Tell the choices of a field; none are no choices at all, and any value may be one."""
    found = live.picklists.get(field.field_name)
    if found is None:
        listed = field.values or ()
        meant = {each.display_value.casefold(): each.value for each in listed}
        meant |= {each.value.casefold(): each.value for each in reversed(listed)}
        found = Choices(values=frozenset(each.value for each in listed), meant=meant)
        live.picklists[field.field_name] = found
    return found


def match(live: LiveObject, name: str) -> Match:
    """Find a field by its provider name, plain or nested; ``[*]`` stands for what the list before it holds."""
    found = _named(live, paths.canonical(name))
    if found is not None:
        return found
    ways = _around(name)
    for around in ways:
        outer = _named(live, around)
        if outer is not None:
            inner = Match(standing="inside", field=outer.field)
            return inner if around.casefold() not in live.parents else Match(standing="absent")
    return Match(standing="unsaid" if ways and not live.parents else "absent")


def _named(live: LiveObject, name: str) -> Match | None:
    field = live.fields.get(name)
    if field is not None:
        return Match(standing="there", field=field)
    spelled = live.folded.get(name.casefold())
    if spelled is None:
        return None
    return Match(standing="there" if live.ignores_case else "other_case", field=live.fields[spelled])


def _around(name: str) -> list[str]:
    """Name the fields that a nested one lives in, the innermost first; for a plain name there are none."""
    segments = paths.parse(name) or ()
    plain = segments[: segments.index(paths.WILDCARD)] if paths.WILDCARD in segments else segments[:-1]
    return [paths.canonical(paths.render(plain[:length])) for length in range(len(plain), 0, -1)]


def nearest(live: LiveObject, name: str) -> str | None:
    """Guess the field that was meant: the same name in another case, a field with this title, or a similar name."""
    folded = name.casefold()
    if folded in live.folded:
        return live.folded[folded]
    titled = next((each for each, field in live.fields.items() if field.display_name.casefold() == folded), None)
    if titled is not None:
        return titled
    close = live.guesses.similar(folded, live.folded)
    return live.folded[close] if close is not None else None
