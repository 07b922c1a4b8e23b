"""From an application to model features: stateless, vectorised, one implementation of each."""
