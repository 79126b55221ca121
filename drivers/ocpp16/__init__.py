"""OCPP 1.6J: chargers that dial us by WebSocket. The wire is described in PROTOCOL.md."""
