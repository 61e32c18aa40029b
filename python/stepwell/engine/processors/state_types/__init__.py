"""The eight types of states: what each does when it starts, and with its result."""
