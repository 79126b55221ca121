"""OSDP v2: readers and door relays on RS-485. The wire is described in PROTOCOL.md."""
