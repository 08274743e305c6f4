"""Who is online, and until when."""
