"""What we set in a charger: the limit of 0 A, and how often it measures."""

from __future__ import annotations

from typing import Any

OUR_PROFILE = 7100
"""Charging profile ids of ours are this plus the connector."""
_STACK_LEVEL = 1
"""Above the level 0 of a charger's own default; every charger must take 1 or say what it takes."""

SETTINGS = {
    "MeterValuesSampledData": "Power.Active.Import,Current.Import,Voltage,Energy.Active.Import.Register",
    "MeterValueSampleInterval": "{sample_s}",
    "ClockAlignedDataInterval": "0",
    "StopTransactionOnEVSideDisconnect": "true",
    "AuthorizeRemoteTxRequests": "false",
    "LocalAuthorizeOffline": "false",
    "AllowOfflineTxForUnknownId": "false",
}


def zero_profile(connector: int) -> dict[str, Any]:
    """SetChargingProfile: no transaction of this connector may draw anything."""
    return {
        "connectorId": connector,
        "csChargingProfiles": {
            "chargingProfileId": OUR_PROFILE + connector,
            "stackLevel": _STACK_LEVEL,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}],
            },
        },
    }
