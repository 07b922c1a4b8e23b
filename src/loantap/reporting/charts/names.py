"""Where the names of points stand in a chart: never over one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

# Pixels: of a letter, of a line, from a point to its name, and of a point itself.
_LETTER: Final = 6.8
_LINE: Final = 14.0
_GAP: Final = 8.0
_RADIUS: Final = 5.0
# Of the plot, on a desk and on a phone.
_DESK: Final = 960.0
_PHONE: Final = 290.0


@dataclass(frozen=True, slots=True)
class Place:
  """Where a name stands: its end nearest to the point, and `dx` and `dy` pixels from there.

  `is_wide` tells whether it has room on a desk only.
  """

  align: str
  dx: float
  dy: float
  is_wide: bool = False


class Box(NamedTuple):
  """A rectangle in pixels, from the left and from the top."""

  left: float
  top: float
  right: float
  bottom: float

  def meets(self, other: Box) -> bool:
    """Whether both overlap."""
    return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


_PLACES: Final = tuple(
  Place(align, dx, dy)
  for dy in (-8.0, 10.0, 0.0, -22.0, 24.0)
  for align, dx in (("left", _GAP), ("right", -_GAP), ("center", 0.0))
  if (align, dy) != ("center", 0.0)
)


def place_names(
  names: Sequence[str], at: Sequence[tuple[float, float]], height: float, sides: Mapping[str, str] | None = None
) -> list[Place | None]:
  """A place for each name, those first that come first; None where there is no room.

  `at` is across and up, as shares of the plot's width and `height`, in pixels; `sides` gives, by name, the `align`
  that is tried first.
  """
  points = {width: [_dot(*spot, width, height) for spot in at] for width in (_DESK, _PHONE)}
  taken: dict[float, list[Box]] = {width: [] for width in points}
  placed: list[Place | None] = []
  for name, spot in zip(names, at, strict=True):
    first = (sides or {}).get(name, "left")
    found = None
    for place, boxes in _list_places(name, spot, height, first):
      free = {
        width: not any(box.meets(other) for other in (*taken[width], *points[width]))
        and box.left >= 0
        and box.right <= width
        for width, box in boxes.items()
      }
      if all(free.values()):
        found = place
        break
      if free[_DESK] and found is None:
        found = Place(place.align, place.dx, place.dy, is_wide=True)
    placed.append(found)
    if found is not None:
      boxes = _cover(name, spot, found, height)
      taken[_DESK].append(boxes[_DESK])
      if not found.is_wide:
        taken[_PHONE].append(boxes[_PHONE])
  return placed


def _list_places(
  name: str, spot: tuple[float, float], height: float, first: str
) -> Iterator[tuple[Place, dict[float, Box]]]:
  for place in sorted(_PLACES, key=lambda place: place.align != first):
    yield place, _cover(name, spot, place, height)


def _cover(name: str, spot: tuple[float, float], place: Place, height: float) -> dict[float, Box]:
  length = _LETTER * len(name)
  begins = {"left": 0.0, "right": -length, "center": -length / 2}[place.align]
  middle = (1 - spot[1]) * height + place.dy
  boxes = {}
  for width in (_DESK, _PHONE):
    left = spot[0] * width + place.dx + begins
    boxes[width] = Box(left, middle - _LINE / 2, left + length, middle + _LINE / 2)
  return boxes


def _dot(across: float, up: float, width: float, height: float) -> Box:
  x, y = across * width, (1 - up) * height
  return Box(x - _RADIUS, y - _RADIUS, x + _RADIUS, y + _RADIUS)
