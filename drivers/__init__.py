"""Device protocols: pure translators between wire bytes and readings or commands. Only ``drivers.links`` does I/O."""
