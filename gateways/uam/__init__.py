"""UAM: gateways that send a guest's browser to the portal and take a user and a secret back from it.

Pure functions over values: what one vendor says and wants to hear is a `Dialect`.
"""
