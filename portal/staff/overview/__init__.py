"""Overview: what is broken, and the state of today."""
