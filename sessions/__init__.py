"""Access sessions: who is online, and until when."""
