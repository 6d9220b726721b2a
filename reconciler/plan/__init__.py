"""What is allowed now: pure functions from desired, observed, inventory, progress and time to the next safe steps."""
