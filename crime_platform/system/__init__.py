"""What a command asks of its machine: exit codes, signals, memory, faults, safe output."""
