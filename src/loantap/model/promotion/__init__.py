"""Whether a model becomes champion."""
