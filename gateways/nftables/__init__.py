"""Gateway agent: what runs on a Linux gateway, follows the feed and makes the kernel keep it."""
