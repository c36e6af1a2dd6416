"""What sending a change twice would do, and whether the provider can be asked for what it may have made. Pure."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache

import msgspec

from connectors.connector import Connector, Recogniser, Recognition
from connectors.dispatch import capabilities, upserts_natively
from installations.operation import Repeat
from installations.record import Change, Record, RecordChange


class Safety(msgspec.Struct, frozen=True, kw_only=True):
    """How a change behaves when it is sent again. Of many records the least safe one counts."""

    repeat: Repeat = "safe"
    can_look_up: bool = False
    """For ``bare``: each record in doubt can be found by its marker, if it exists."""
    exact: bool = False
    """And what is not found does not exist."""
    window: timedelta | None = None
    """For ``keyed``: how long the provider remembers keys; ``None`` for ever."""
    stores_answers: bool = False
    """For ``keyed``: a request with a known key gets the answer that the first one got."""

    @property
    def is_blind(self) -> bool:
        """Whether a doubt about it is there to stay."""
        return self.repeat == "bare" and not self.can_look_up


def recognition_of(connector: Connector, object_name: str, fields: Record) -> Recognition | None:
    """Tell how a create of this record would be recognised; ``None`` where it would not be."""
    recogniser = _recogniser(connector)
    return None if recogniser is None else recogniser.recognition(object_name, fields)


def safety_of(connector: Connector, change: Change) -> Safety:
    """Judge a change as it would be sent now."""
    found = [recognition_of(connector, change.object_name, record.fields) for record in _created(connector, change)]
    if not found:
        return Safety()
    if all(each is not None and each.kind in _KEYED for each in found):
        windows = [each.window_seconds for each in found if each is not None and each.window_seconds is not None]
        return Safety(
            repeat="keyed",
            window=timedelta(seconds=min(windows)) if windows else None,
            stores_answers=any(each is not None and each.kind == "key" for each in found),
        )
    unsure = [each for each in found if each is None or each.kind not in _KEYED]
    marked = capabilities(connector).finder is not None and all(each is not None for each in unsure)
    exact = marked and all(each is not None and each.exact for each in unsure)
    return Safety(repeat="bare", can_look_up=marked, exact=exact)


_KEYED = frozenset({"key", "unique"})


def _created(connector: Connector, change: Change) -> Iterator[RecordChange]:
    """List the records that would be new: those of a create, and of an upsert those that no look-up has found."""
    if change.action == "create":
        yield from change.records
    elif change.action == "upsert" and not upserts_natively(connector, change.object_name, change.match_field):
        yield from (record for record in change.records if record.id is None)


@cache
def _recogniser(connector: Connector) -> Recogniser | None:
    return connector if isinstance(connector, Recogniser) else None
