"""Deliveries in memory."""

import math
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from server.store.contract import Delivery, DeliveryFilter, DeliveryPage, Event, Tried, Unattended
from server.store.memory.destinations import NotificationShelf
from server.store.memory.shelf import of


class MemoryDeliveries(NotificationShelf):
    """Implements `contract.Deliveries`."""

    async def unattended(self, *, now: datetime, dead_after_seconds: float, limit: int) -> Unattended:
        """Tell what there is to do."""
        self._release(now=now, dead_after_seconds=dead_after_seconds)
        waiting = [name for name, place in self.sequences.items() if place > self.fanned.get(name, 0)]
        due = dict.fromkeys(
            (one.project_id, one.destination_id)
            for one in self.deliveries_by_id.values()
            if one.state == "pending" and one.run_at <= now and not self._disabled(one.destination_id)
        )
        return Unattended(projects=tuple(waiting[:limit]), destinations=tuple(due)[:limit])

    async def fan_out(self, project_id: str, *, now: datetime, limit: int) -> int:
        """Store what the next events lead to."""
        place = self.fanned.get(project_id, 0)
        events = [event for event in of(self.outbox, project_id) if event.sequence > place][:limit]
        for event in events:
            for made in self._deliveries(event, now=now):
                self.deliveries_by_id.setdefault(made.id, made)
        self.fanned[project_id] = events[-1].sequence if events else self.sequences.get(project_id, 0)
        return len(events)

    async def claim_deliveries(
        self, project_id: str, destination_id: str, *, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Delivery]:
        """Take what is due at one destination."""
        due = [
            one
            for one in of(self.deliveries_by_id, project_id)
            if one.destination_id == destination_id and one.state == "pending" and one.run_at <= now
        ]
        if self._disabled(destination_id):
            return []
        taken = [
            msgspec.structs.replace(one, owner=owner, attempts=one.attempts + 1, run_at=until, update_time=now)
            for one in sorted(due, key=lambda one: (one.run_at, one.id))[:limit]
        ]
        self.deliveries_by_id |= {one.id: one for one in taken}
        return sorted(taken, key=lambda one: one.id)

    async def settle_deliveries(self, tries: Sequence[Tried]) -> list[bool]:
        """Write down what came of attempts."""
        settled = [self._settle(tried) for tried in tries]
        done = [tried for tried, ours in zip(tries, settled, strict=True) if ours]
        for tried in done:
            self._learn(tried)
        for tried in done:
            if tried.disable and not self._disabled(tried.delivery.destination_id):
                self._disable(tried)
        return settled

    async def deliveries(
        self,
        project_id: str,
        destination_id: str,
        which: DeliveryFilter,
        *,
        page_size: int,
        page_token: str | None = None,
    ) -> DeliveryPage:
        """List, newest first."""
        found = sorted(self._these(project_id, destination_id, which), key=lambda one: one.id, reverse=True)
        found = [one for one in found if page_token is None or one.id < page_token]
        results = tuple(msgspec.structs.replace(one, data=b"") for one in found[:page_size])
        return DeliveryPage(results=results, next_page_token=results[-1].id if len(found) > page_size else None)

    async def replay_deliveries(
        self, project_id: str, destination_id: str, which: DeliveryFilter, *, now: datetime, dry_run: bool
    ) -> int:
        """Send again what is not pending."""
        over = [one for one in self._these(project_id, destination_id, which) if one.state != "pending"]
        for one in () if dry_run else over:
            self.deliveries_by_id[one.id] = msgspec.structs.replace(
                one, state="pending", attempts=0, run_at=now, update_time=now
            )
        return len(over)

    async def prune_notifications(
        self, *, events_before: datetime, delivered_before: datetime, failed_before: datetime
    ) -> None:
        """Forget what is old and over."""
        before = {"delivered": delivered_before, "failed": failed_before, "skipped": failed_before}
        self.deliveries_by_id = {
            key: one
            for key, one in self.deliveries_by_id.items()
            if one.state == "pending" or one.update_time > before[one.state]
        }
        self.outbox = {
            key: event
            for key, event in self.outbox.items()
            if event.create_time > events_before or event.sequence > self.fanned.get(event.project_id, 0)
        }

    def _release(self, *, now: datetime, dead_after_seconds: float) -> None:
        """Make due what dead processes had claimed."""
        since = now - timedelta(seconds=dead_after_seconds)
        for one in list(self.deliveries_by_id.values()):
            seen = self.processes.get(one.owner, -math.inf)
            if one.owner and one.update_time <= since and seen < time.monotonic() - dead_after_seconds:
                free = msgspec.structs.replace(one, owner="", attempts=one.attempts - 1, run_at=one.update_time)
                self.deliveries_by_id[one.id] = free

    def _deliveries(self, event: Event, *, now: datetime) -> Iterator[Delivery]:
        topics = {
            route.topic_id for route in of(self.event_routes_by_id, event.project_id) if route.event_type == event.type
        }
        reached = {
            route.destination_id
            for route in of(self.destination_routes_by_id, event.project_id)
            if route.topic_id in topics
        }
        for destination_id in sorted(reached):
            yield Delivery(
                id=f"{event.id}.{destination_id}",
                project_id=event.project_id,
                destination_id=destination_id,
                event_id=event.id,
                event_type=event.type,
                data=event.data,
                state="skipped" if self._disabled(destination_id) else "pending",
                attempts=0,
                run_at=now,
                create_time=event.create_time,
                update_time=now,
            )

    def _disabled(self, destination_id: str) -> bool:
        return bool(self.destinations_by_id[destination_id].disabled)

    def _settle(self, tried: Tried) -> bool:
        was, now = tried.delivery, self.deliveries_by_id.get(tried.delivery.id)
        fence = (was.project_id, "pending", was.owner, was.attempts)
        if now is None or (now.project_id, now.state, now.owner, now.attempts) != fence:
            return False
        skipped = tried.state == "pending" and self._disabled(now.destination_id)
        self.deliveries_by_id[now.id] = msgspec.structs.replace(
            now,
            state="skipped" if skipped else tried.state,
            owner="",
            run_at=tried.run_at,
            status=tried.status,
            error=tried.error,
            update_time=tried.now,
        )
        return True

    def _learn(self, tried: Tried) -> None:
        destination = self.destinations_by_id[tried.delivery.destination_id]
        since = None if tried.state == "delivered" else destination.failing_since or tried.now
        self.destinations_by_id[destination.id] = msgspec.structs.replace(destination, failing_since=since)

    def _disable(self, tried: Tried) -> None:
        destination = self.destinations_by_id[tried.delivery.destination_id]
        self.destinations_by_id[destination.id] = msgspec.structs.replace(
            destination, disabled=tried.disable, update_time=tried.now
        )
        for one in of(self.deliveries_by_id, destination.project_id):
            if one.destination_id == destination.id and one.state == "pending" and not one.owner:
                self.deliveries_by_id[one.id] = msgspec.structs.replace(one, state="skipped", update_time=tried.now)
        self.tell(destination.project_id, tried.event)

    def _these(self, project_id: str, destination_id: str, which: DeliveryFilter) -> Iterator[Delivery]:
        for one in of(self.deliveries_by_id, project_id):
            if (
                one.destination_id == destination_id
                and (not which.ids or one.id in which.ids)
                and (not which.states or one.state in which.states)
                and which.event_type in (None, one.event_type)
                and (which.created_from is None or one.create_time >= which.created_from)
                and (which.created_before is None or one.create_time < which.created_before)
            ):
                yield one
