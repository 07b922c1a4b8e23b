"""From a probability to a decision: versioned policy, segments, rules."""
