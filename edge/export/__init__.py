"""Workouts as files that other programs read: FIT, TCX, CSV. Pure: rows and samples in, bytes out."""
