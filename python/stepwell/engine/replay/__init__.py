"""From the log to the state: replay after a stop, redrive of ended executions."""
