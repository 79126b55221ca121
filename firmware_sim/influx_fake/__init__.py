"""A strict InfluxDB v2 write endpoint for tests: what a real one refuses, loses or leaves unanswered, on demand."""
