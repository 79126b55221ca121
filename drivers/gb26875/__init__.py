"""GB/T 26875.3: fire transmission units and monitoring centres. The wire is described in PROTOCOL.md."""
