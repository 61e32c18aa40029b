"""Services that Task states call without a handler of the program's: nested executions, HTTP, AWS."""
