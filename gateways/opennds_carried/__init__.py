"""openNDS, carried: levels 1 and 2 of its FAS protocol, by which the guest's browser brings the word to it."""
