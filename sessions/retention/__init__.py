"""How long what is remembered is kept: the terms, the purge that carries them out, and the holds that stop it."""
