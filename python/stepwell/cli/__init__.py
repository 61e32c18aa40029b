"""The command ``stepwell``: a thin shell around the public API. Nothing here decides anything about executions."""
