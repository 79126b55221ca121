"""An OCPP 1.6J charge point: cars, contactors, transactions and the bad habits of the field."""

from firmware_sim.ocpp16.charger import Charger
from firmware_sim.ocpp16.connector import Connector, Habits

__all__ = ["Charger", "Connector", "Habits"]
