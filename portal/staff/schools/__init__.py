"""Staff pages: classes of tablets."""
