"""Staff pages: accounts, roles, tokens of programs, and one's own browsers and codes."""
