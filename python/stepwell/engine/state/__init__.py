"""The state of a partition: live executions, timers, definitions; the turn and the batch that change it."""
