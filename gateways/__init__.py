"""Gateways: the kinds there are, and what each can do. Knows no portal and no database."""
