#!/bin/sh
# Make docker/site, the site that docker/compose.yaml mounts, from the example in config/: stores, sockets and passwords
# are where the containers have them, and samples go to InfluxDB. It is yours from then on: this never overwrites it.
set -eu
cd "$(dirname "$0")"
if [ -e site ]; then
    echo "site: docker/site is there already; move it away to make a new one" >&2
    exit 1
fi
mkdir site
(cd ../config && tar -cf - --exclude=./data --exclude=./run --exclude=.gitignore .) | (cd site && tar -xf -)
sed -e 's|^data_dir = .*|data_dir = "/var/lib/kangle"|' \
    -e 's|^# run_dir = .*|run_dir = "/run/kangle"|' \
    -e 's|mqtt://127.0.0.1:1883?client=\([a-z-]*\)|mqtt://edge@127.0.0.1:1883?client=\1\&password_file=/run/secrets/mqtt_edge|' \
    ../config/site.toml > site/site.toml
cat >> site/site.toml <<'TOML'

# Samples to the InfluxDB beside this box (docker/compose.yaml).
[[sinks]]
sink = "influxdb"
kind = "influx"
url = "http://127.0.0.1:8086"
org = "kangle"
bucket = "kangle"
token_file = "/run/secrets/influx_token"
TOML
grep -q 'run_dir = "/run/kangle"' site/site.toml || { echo "site: config/site.toml has no run_dir line to change" >&2; exit 1; }
echo "site: docker/site is made; describe your devices in it, then: kangle config check --site docker/site" >&2
