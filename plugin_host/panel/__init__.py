"""The browser page, a client in a process of its own."""
