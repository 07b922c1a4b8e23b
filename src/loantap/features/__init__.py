"""From an application to model features: stateless, vectorised, each implemented once."""
