"""Work: handlers of this process, integrations, and how tasks reach them."""
