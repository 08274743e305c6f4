"""Staff pages: the session log, one session, one incident."""
