"""Devices: of patrons, which join the encrypted network with a certificate."""
