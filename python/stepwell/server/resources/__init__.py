"""``GET /stepwell/…``: what the console shows beside AWS's operations, for every client (docs/console.md)."""
