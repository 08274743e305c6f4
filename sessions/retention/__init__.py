"""Retention: how long each class of data is kept, the purge, and the legal holds that stop it."""
