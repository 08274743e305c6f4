"""Staff pages: campaigns, advertisers, crisis messages, elections."""
