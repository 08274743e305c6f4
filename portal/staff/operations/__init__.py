"""Staff pages: gateways and reports."""
