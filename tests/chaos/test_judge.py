"""The judge itself: a ledger that was tampered with is found out, for every promise, and a true one is not."""

from collections.abc import Callable, Sequence
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from tests.chaos.judge import OBSERVED, Asked, Effect, Ended, Promise, Story, judge
from tests.chaos.workload import CREATES, Kind, Plan, ask, workload

Tamper = Callable[[Story], Story]


def planted(customer: str, _object_name: str, _fields: dict[str, object]) -> str:
    planted.count += 1  # type: ignore[attr-defined]
    return f"{customer}-r{planted.count}"  # type: ignore[attr-defined]


def true_story(operations: int = 300, **plan: Any) -> Story:
    """A run in which everything went well."""
    planted.count = 0  # type: ignore[attr-defined]
    asks = list(workload(Plan(operations=operations, customers=3, **plan), plant=planted))
    asked = [Asked(ask=each, status=200, operation_id=f"op-{each.tag}") for each in asks]
    ended = {each.operation_id: Ended(id=each.operation_id, state="success", attempts=1) for each in asked}
    effects = [effect(each, number) for number, each in enumerate(asked, 1)]
    return Story(asked=asked, operations=ended, effects=effects)


def effect(asked: Asked, number: int) -> Effect:
    kind = asked.ask.kind
    return Effect(
        number=number,
        workspace=asked.ask.customer,
        action="create" if asked.ask.creates else {"upsert": "update"}.get(kind, kind),
        object_name=asked.ask.object_name,
        record_id=asked.ask.record.rpartition("/")[2] or f"new-{number}",
        tag="" if kind == "delete" else asked.ask.tag,
    )


def first(story: Story, *kinds: Kind) -> Asked:
    return next(asked for asked in story.asked if asked.ask.kind in kinds)


def without_effect(story: Story, asked: Asked) -> Story:
    kept = [e for e, of in zip(story.effects, story.asked, strict=True) if of is not asked]
    return replace(story, effects=kept)


def ending(story: Story, asked: Asked, **changes: Any) -> Story:
    changed = replace(story.operations[asked.operation_id], **changes)
    return replace(story, operations={**story.operations, asked.operation_id: changed})


def again(story: Story, asked: Asked) -> Story:
    """Let it happen once more."""
    more = replace(effect(asked, 1), number=len(story.effects) + 1, record_id="another")
    return replace(story, effects=[*story.effects, more])


def lost(story: Story) -> Story:
    gone = first(story, "bare").operation_id
    kept = {name: each for name, each in story.operations.items() if name != gone}
    return without_effect(replace(story, operations=kept), first(story, "bare"))


def changes_of_one_record(story: Story) -> list[Asked]:
    record = first(story, "update").ask.record
    return [asked for asked in story.asked if asked.ask.record == record]


def swapped(story: Story) -> Story:
    """Let two changes of one record happen the wrong way round."""
    one, other = changes_of_one_record(story)[:2]
    tags = {one.ask.tag: other.ask.tag, other.ask.tag: one.ask.tag}
    return replace(story, effects=[replace(e, tag=tags.get(e.tag, e.tag)) for e in story.effects])


def overwritten(story: Story) -> Story:
    """Let an old value come back."""
    return again(story, changes_of_one_record(story)[0])


def of_a_stranger(story: Story) -> Story:
    moved = [replace(e, workspace="another") if e.tag == first(story, "keyed").ask.tag else e for e in story.effects]
    return replace(story, effects=moved)


def unasked_effect(story: Story) -> Story:
    return replace(story, effects=[*story.effects, replace(story.effects[0], tag="chaos-999999")])


def unasked_operation(story: Story) -> Story:
    return replace(story, operations={**story.operations, "op-x": Ended(id="op-x", state="success")})


def mostly_unknown(story: Story) -> Story:
    for asked in [each for each in story.asked if each.ask.kind == "bare"][:20]:
        story = ending(story, asked, state="unknown", reason="ambiguous")
    return story


def deleted_nothing(story: Story) -> Story:
    return without_effect(story, first(story, "delete"))


def after_its_death(story: Story) -> Story:
    return ending(story, first(story, "bare"), state="unknown", reason="poison")


def duplicated(kind: Kind) -> Tamper:
    return lambda story: again(story, first(story, kind))


TAMPERINGS: dict[str, tuple[Tamper, set[Promise]]] = {
    "nothing": (lambda story: story, set()),
    "a lost operation": (lost, {"accepted means stored"}),
    "an operation that never ends": (lambda s: ending(s, first(s, "keyed"), state="queued"), {"every operation ends"}),
    "one that is parked for ever": (lambda s: ending(s, first(s, "bare"), state="parked"), {"every operation ends"}),
    **{f"a duplicate ({kind})": (duplicated(kind), {"nothing happens twice"}) for kind in CREATES},
    "a success without effect": (lambda s: without_effect(s, first(s, "marker")), {"success means it happened"}),
    "a deletion that was none": (deleted_nothing, {"success means it happened"}),
    "a failure with an effect": (
        lambda s: ending(s, first(s, "delete"), state="failure", reason="refused"),
        {"failure means it did not"},
    ),
    "a needless failure": (
        lambda s: ending(without_effect(s, first(s, "bare")), first(s, "bare"), state="failure", reason="deadline"),
        {"no failure without need"},
    ),
    "a needless unknown": (
        lambda s: ending(s, first(s, "unique"), state="unknown", reason="ambiguous"),
        {"unknown only where nobody can know"},
    ),
    "a condemned innocent": (after_its_death, {"the innocent go free"}),
    "an honest unknown": (lambda s: ending(s, first(s, "bare"), state="unknown", reason="ambiguous"), set()),
    "too many unknown": (mostly_unknown, {"few are unknown"}),
    "changes the wrong way round": (swapped, {"in order of acceptance"}),
    "an old value that comes back": (overwritten, {"in order of acceptance", "the last value wins"}),
    "an effect at another customer's": (of_a_stranger, {"customers are separate"}),
    "an effect nobody asked for": (unasked_effect, {"nothing happens unasked"}),
    "an operation nobody asked for": (unasked_operation, {"nothing happens unasked"}),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_the_judge_sees(name: str) -> None:
    tamper, expected = TAMPERINGS[name]
    verdict = judge(tamper(true_story()))
    assert {broken.promise for broken in verdict.broken} == expected, verdict.broken


def test_every_promise_can_be_broken() -> None:
    assert set(get_args(Promise)) - OBSERVED == {promise for _, promises in TAMPERINGS.values() for promise in promises}


@pytest.mark.parametrize(("doubted", "expected"), [(True, set()), (False, {"nothing happens twice"})])
def test_a_duplicate_that_was_allowed_needs_a_recorded_doubt(doubted: bool, expected: set[Promise]) -> None:  # noqa: FBT001
    story = true_story(on_ambiguous="retry")
    asked = first(story, "bare")
    told = frozenset({asked.operation_id}) if doubted else frozenset[str]()
    verdict = judge(replace(again(story, asked), on_ambiguous="retry", doubted=told))
    assert {broken.promise for broken in verdict.broken} == expected
    assert verdict.figures["duplicates"] == 1


@pytest.mark.parametrize(("most", "expected"), [(0, {"the innocent go free"}), (1, set())])
def test_a_run_may_take_a_few_for_poison_where_it_says_so(most: int, expected: set[Promise]) -> None:
    verdict = judge(replace(after_its_death(true_story()), most_poison=most))
    assert {broken.promise for broken in verdict.broken} == expected
    assert verdict.figures["poison"] == 1


def test_what_was_never_accepted_is_not_missed() -> None:
    story = true_story()
    refused = Asked(ask=ask("chaos-000000", "bare", customer="customer-1"), status=503)
    assert judge(replace(story, asked=[*story.asked, refused])).broken == []


def test_the_same_seed_asks_the_same() -> None:
    def drawn(seed: int) -> Sequence[Any]:
        return [asked.ask for asked in true_story(seed=seed).asked]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
