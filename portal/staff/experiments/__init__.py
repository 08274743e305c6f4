"""Staff pages: an experiment is written down, amended, reviewed and printed."""
