"""The client: what a program may ask of a host, checked, and what it may read."""
