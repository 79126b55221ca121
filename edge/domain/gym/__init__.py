"""The gym: machines, workouts, safe limits, wear. Pure."""
