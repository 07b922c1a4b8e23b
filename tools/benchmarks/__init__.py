"""Time, memory and figures against baselines, at a size of your choice."""
