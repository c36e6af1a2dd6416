"""How the sandbox says no: one exception, and the error body every refusal shares."""

import msgspec


class FieldError(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing wrong with one field."""

    field: str
    """The field's name; nested ones with dots (``address.city``)."""
    code: str
    """``required``, ``read_only``, ``wrong_type``, ``not_in_picklist``, ``unknown_field``, ``duplicate``,
    ``too_long``, ``not_found``, ``out_of_range`` or ``invalid_format``.
    """
    message: str
    existing_id: str | None = None
    """For ``duplicate``: the record that has the value."""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every refusal."""

    code: str
    message: str
    errors: tuple[FieldError, ...] = ()


class Refusal(Exception):
    """The request is refused and nothing happened."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status = status
        self.body = ErrorBody(code=code, message=message, errors=errors)
        self.headers = headers or {}
        super().__init__(message)


def refused_fields(errors: tuple[FieldError, ...]) -> Refusal:
    """Build the refusal for fields: 409 if every one is a duplicate, else 422."""
    names = ", ".join(sorted({error.field for error in errors}))
    if all(error.code == "duplicate" for error in errors):
        return Refusal(409, "duplicate", f"Another record already has this value: {names}.", errors=errors)
    return Refusal(422, "validation_failed", f"These fields were refused: {names}.", errors=errors)


def bad_request(message: str) -> Refusal:
    """Build the refusal of a request that cannot be understood."""
    return Refusal(400, "bad_request", message)


def record_not_found(object_name: str, record_id: str) -> Refusal:
    """Build the refusal for an id the workspace does not have."""
    return Refusal(404, "not_found", f"There is no record {record_id[:100]!r} in {object_name}.")
