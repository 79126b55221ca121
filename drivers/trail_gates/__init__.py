"""Gates of the smart trail and counters of outdoor points, over MQTT (``PROTOCOL.md``)."""
