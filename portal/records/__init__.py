"""Records: each kind with its words on pages, and one registry of them all."""
