"""Managed devices: sessions and leases made from what registers want, without portal and without ads."""
