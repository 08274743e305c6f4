"""Images: pictures that staff hand in, decoded in a bounded process, made anew, and kept in the database."""
