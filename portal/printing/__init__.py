"""Printing: day passes on sheets, labels and receipts. Tickets in, bytes out; nothing here knows the database."""
