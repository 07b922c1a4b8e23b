"""Names for the types of arrays."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
# Of single or double precision.
AnyFloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
MonthArray: TypeAlias = npt.NDArray[np.datetime64]
TextArray: TypeAlias = npt.NDArray[np.object_]
