"""API tokens: programs that ask for passes, what they may do, and requests that are carried out once."""
