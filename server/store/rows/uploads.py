"""Uploads as rows."""

from datetime import datetime

from server.store.contract import Missing, Taken, Upload
from server.store.engine import Row
from server.store.rows.scope import Rows, insert
from server.store.tables import Uploads


class UploadRows(Rows):
    """Implements `contract.Uploads`."""

    async def create_upload(self, upload: Upload) -> None:
        """Open a place."""
        await self.box(upload.project_id)
        async with self.writing():
            await insert(
                Uploads,
                id=upload.id,
                project_id=upload.project_id,
                md5=upload.md5,
                content=upload.content or None,
                expire_time=upload.expire_time,
            )

    async def fill_upload(self, upload_id: str, content: bytes, *, now: datetime) -> None:
        """Put the archive there, once."""
        async with self.writing():
            filled = await (
                Uploads.update({Uploads.content: content})
                .where(Uploads.id == upload_id, Uploads.expire_time > now, Uploads.content.is_null())
                .returning(Uploads.id)
            )
            if not filled:
                await _look(upload_id, now=now)
                raise Taken("this upload is filled already", existing_id=upload_id)

    async def upload(self, upload_id: str, *, now: datetime) -> Upload:
        """Look at it without taking it."""
        async with self.reading():
            return _upload(await _look(upload_id, now=now))

    async def take_upload(self, project_id: str, upload_id: str, *, now: datetime) -> Upload:
        """Take a filled one out, once."""
        async with self.writing():
            rows = await (
                Uploads.delete()
                .where(
                    Uploads.project_id == project_id,
                    Uploads.id == upload_id,
                    Uploads.expire_time > now,
                    Uploads.content.is_not_null(),
                )
                .returning(*Uploads.all_columns())
            )
        if not rows:
            raise Missing(f"no upload {upload_id!r}")
        return _upload(rows[0])


async def _look(upload_id: str, *, now: datetime) -> Row:
    rows = await Uploads.select().where(Uploads.id == upload_id, Uploads.expire_time > now)
    if not rows:
        raise Missing(f"no upload {upload_id!r}")
    return rows[0]


def _upload(row: Row) -> Upload:
    return Upload(
        id=row["id"],
        project_id=row["project_id"],
        md5=row["md5"],
        expire_time=row["expire_time"],
        content=row["content"] or b"",
    )
