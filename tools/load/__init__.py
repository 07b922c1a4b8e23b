"""Load on a server of this machine: requests at a rate, what came back and when, and kill -9."""
