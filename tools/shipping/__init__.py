"""From a green commit to running tasks, and back: docs/shipping.md."""
