# Simulated devices that speak the real wire formats, as an image of their own: `docker build -f
# docker/simulator.Dockerfile -t kangle-simulator .` It holds the simulators and MQTT, and nothing of the box: they share
# no code (an import rule checks it). Give the name of a simulator and its options:
# `docker run kangle-simulator zigbee2mqtt --config /etc/simulator/heads.json`

FROM python:3.11-slim-bookworm AS packages
WORKDIR /src
COPY docker/requirements-simulator.lock docker/requirements-simulator.lock
RUN python -m venv /opt/simulator && /opt/simulator/bin/pip install --no-cache-dir --require-hashes -r docker/requirements-simulator.lock

FROM python:3.11-slim-bookworm AS simulator
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin kangle
COPY --from=packages /opt/simulator /opt/simulator
COPY firmware_sim /opt/simulator/app/firmware_sim
COPY docker/simulator/run.sh /opt/simulator/run.sh
ENV PATH=/opt/simulator/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/simulator/app
USER 10001:10001
# Healthy while the simulator is process 1; it ends by itself when it cannot simulate.
HEALTHCHECK --interval=30s --timeout=5s CMD ["python", "-c", "import os, sys; sys.exit(b'firmware_sim' not in open('/proc/1/cmdline', 'rb').read())"]
ENTRYPOINT ["sh", "/opt/simulator/run.sh"]
CMD ["zigbee2mqtt", "--help"]
