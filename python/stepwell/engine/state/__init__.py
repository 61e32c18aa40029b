"""What a partition knows: live executions, timers, definitions; and the turn and batch that change it."""
