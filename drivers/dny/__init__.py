"""DNY / AP3000 charging boards for e-bikes, over TCP. The wire is described in PROTOCOL.md."""
