"""Media: the picture or the short muted video of a message, made anew from a file that staff hand in."""
