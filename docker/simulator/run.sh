#!/bin/sh
# Become the simulator that is named first: `run.sh zigbee2mqtt --config FILE`.
set -eu
name="$1"
shift
exec python -m "firmware_sim.$name" "$@"
