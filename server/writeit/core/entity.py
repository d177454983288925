"""What all entities share: immutable, strict about fields, checked when made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""Names of pipelines, steps, primers and inputs."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it is not within the years 1 to 9999 in UTC") from error


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A point in time, always in UTC."""


class Entity(BaseModel):
    """A value: two entities with equal fields are the same thing."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    def evolve(self, **changes: Any) -> Self:  # noqa: ANN401 -- field values differ in type
        """Return a copy with `changes`, validated as a whole."""
        return type(self)(**{**self.__dict__, **changes})
