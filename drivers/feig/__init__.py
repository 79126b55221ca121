"""FEIG OBID host mode (HF, ISO15693). The wire is described in PROTOCOL.md."""
