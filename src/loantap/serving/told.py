"""What requests and answers are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Lines, but no other control characters.
Note = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class Told(BaseModel):
	"""Base of what the API is told and tells."""

	model_config = ConfigDict(frozen=True, extra="forbid")
