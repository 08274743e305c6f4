"""Day passes on paper: sheets, labels and receipts. Tickets in, bytes out; nothing here knows the database."""
