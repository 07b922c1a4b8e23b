"""What a task in ECS runs: the project's data from a bucket, a run, and the data back again."""
