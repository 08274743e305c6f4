"""Schools: their line to the Internet, their classes of tablets, and the hours in which each is on."""
