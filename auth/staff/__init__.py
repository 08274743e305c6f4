"""Staff: accounts, roles, second factors, and the browsers they are signed in with."""
