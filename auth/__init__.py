"""Authentication: who may come in, and with what allowance."""
