"""What each of the main acts costs, counted and not timed: the same on every machine, however busy."""
