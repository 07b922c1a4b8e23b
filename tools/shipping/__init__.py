"""What takes a commit to a running task, and the container engine that tests try it on."""
