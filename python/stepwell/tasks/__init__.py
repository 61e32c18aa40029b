"""Tasks: handlers of this process, integrations, and how tasks are dispatched to them."""
