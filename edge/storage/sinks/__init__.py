"""Sinks: whoever carries samples away (InfluxDB line protocol, MQTT), each on a cursor of its own."""
