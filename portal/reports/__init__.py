"""Usage report: one document, told on the page, in print, as text and as open data."""
