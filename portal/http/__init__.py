"""HTTP: which client asks, what every request and answer must keep, health and metrics."""
