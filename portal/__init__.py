"""Portal: what people see; the only room that knows HTTP, the command line and HTML."""
