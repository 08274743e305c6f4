"""Staff pages: retention, legal holds, legal requests and the audit log."""
