"""Whether the model that decides is still right: drift, estimated and realised performance."""
