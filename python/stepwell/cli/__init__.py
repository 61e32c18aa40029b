"""The command ``stepwell``: argument parsing and output around the public API. It decides nothing about executions."""
