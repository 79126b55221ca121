#!/bin/sh
# Hash the users' passwords into memory, then become the broker. KANGLE_* are for the tests, which have other paths.
set -eu
umask 077
secret="${KANGLE_MQTT_USERS:-/run/secrets/mqtt_users}"
users="${KANGLE_MQTT_HASHED:-/run/mosquitto/users}"
cp "$secret" "$users"
chmod 0600 "$users"
mosquitto_passwd -U "$users"
exec mosquitto -c "${KANGLE_MQTT_CONFIG:-/mosquitto/config/mosquitto.conf}"
