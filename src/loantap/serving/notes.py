"""What people write into requests."""

from typing import Annotated

from pydantic import Field

# Lines, but no other control characters.
Note = Annotated[str, Field(max_length=2_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
