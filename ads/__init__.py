"""Interstitials: what people are shown before they go on, and what it earns them."""
