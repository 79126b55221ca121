#!/bin/sh
# Make every password and token of docker/compose.yaml, once: docker/secrets (readable by its owner alone), the folders
# that the containers write to, and docker/.env with the user that they run as. What is there already is kept.
# To change one: delete its file, run this again, and tell the service (docs/containers.md).
set -eu
umask 077
cd "$(dirname "$0")"

uid="$(id -u)"
gid="$(id -g)"
if [ "$uid" = 0 ]; then
    # Containers do not run as root; as root we can give the files to a user without rights.
    uid=10001
    gid=10001
fi

mkdir -p secrets data
made=""

random() {
    # 40 letters and digits: 238 bits.
    head -c 512 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 40
}

keep() {
    # keep NAME VALUE: write the secret unless there is one.
    if [ ! -s "secrets/$1" ]; then
        printf '%s' "$2" > "secrets/$1"
        made="$made $1"
    fi
    chmod 0400 "secrets/$1"
}

keep mqtt_edge "$(random)"
keep mqtt_simulator "$(random)"
keep influx_user "kangle"
keep influx_password "$(random)"
keep influx_token "$(random)$(random)"
keep grafana_user "kangle"
keep grafana_password "$(random)"
rm -f secrets/mqtt_users
printf 'edge:%s\nsimulator:%s\n' "$(cat secrets/mqtt_edge)" "$(cat secrets/mqtt_simulator)" > secrets/mqtt_users
chmod 0400 secrets/mqtt_users

for name in kangle mosquitto influxdb influxdb-config grafana; do
    mkdir -p "data/$name"
    chmod 0700 "data/$name"
done
printf 'KANGLE_UID=%s\nKANGLE_GID=%s\n' "$uid" "$gid" > .env
if [ "$(id -u)" = 0 ]; then
    chown -R "$uid:$gid" secrets data
fi
echo "secrets: made${made:- nothing, all were there}; the containers run as $uid:$gid" >&2
