"""From the log to the state: a replay after a crash, the redrive of what ended."""
