"""The control socket: how other processes use an engine that has a folder open (docs/adr/0022)."""
