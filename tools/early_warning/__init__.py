"""Early warning measured: on real card holders, on simulated loans whose truth is known, and at size."""
