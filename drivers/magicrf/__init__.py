"""MagicRF BB..7E (UHF Gen2). The wire is described in PROTOCOL.md."""
