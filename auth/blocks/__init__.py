"""Blocks: devices and persons that may not come in for a while, why, and by whose decision."""
