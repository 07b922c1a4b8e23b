"""What is run beside the package: servers to try the sources on, and benchmarks."""
