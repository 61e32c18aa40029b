"""Services that Task states call without a handler of the program: nested executions, HTTP, AWS."""
