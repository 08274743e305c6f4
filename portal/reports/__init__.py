"""Usage report: one document, rendered as a page, in print, as text and as open data."""
