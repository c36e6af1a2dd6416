"""Groups and consumers as rows: known by the builder's own refs, made when first named."""

from datetime import datetime

from msgspec import UNSET, UnsetType

from installations.installation import Consumer, Group
from server.store.engine import Row
from server.store.rows.scope import insert
from server.store.tables import Consumers, Groups


async def keep_group(project_id: str, ref: str, *, fresh_id: str, now: datetime, name: str | UnsetType = UNSET) -> str:
    """Make a group, or rename it when a name is given; answer its row id."""
    mine = (Groups.project_id == project_id) & (Groups.group_ref == ref)
    rows = await Groups.select(Groups.id).where(mine)
    if not rows:
        await insert(Groups, id=fresh_id, project_id=project_id, group_ref=ref, group_name=name or ref, create_time=now)
        return fresh_id
    if name is not UNSET:
        await Groups.update({Groups.group_name: name}).where(mine)
    return str(rows[0]["id"])


async def keep_consumer(
    project_id: str, ref: str, *, fresh_id: str, now: datetime, name: str | UnsetType = UNSET
) -> str:
    """Make a consumer, or rename it when a name is given; answer its row id."""
    mine = (Consumers.project_id == project_id) & (Consumers.consumer_ref == ref)
    rows = await Consumers.select(Consumers.id).where(mine)
    if not rows:
        await insert(
            Consumers, id=fresh_id, project_id=project_id, consumer_ref=ref, consumer_name=name or ref, create_time=now
        )
        return fresh_id
    if name is not UNSET:
        await Consumers.update({Consumers.consumer_name: name}).where(mine)
    return str(rows[0]["id"])


def group(row: Row) -> Group:
    """Make the struct of a row."""
    return Group(
        group_ref=row["group_ref"],
        group_name=row["group_name"],
        project_id=row["project_id"],
        create_time=row["create_time"],
    )


def consumer(row: Row) -> Consumer:
    """Make the struct of a row."""
    return Consumer(
        consumer_ref=row["consumer_ref"],
        consumer_name=row["consumer_name"],
        project_id=row["project_id"],
        create_time=row["create_time"],
    )
