"""Help offered to borrowers: what was offered, answered, and what came of it."""
