"""What is said about it: conditions, health, records and the published views. Pure."""
