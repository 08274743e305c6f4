"""FakeGateway: a gateway in the portal's memory, for trials without a network."""
