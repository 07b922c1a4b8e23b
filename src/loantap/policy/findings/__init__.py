"""What the loans say about each segment, adjusted, over time and in money."""
