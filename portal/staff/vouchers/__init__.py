"""Staff pages: the desk, passes, batches and their printing."""
