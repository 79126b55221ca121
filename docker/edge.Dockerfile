# The box as an image: `docker build -f docker/edge.Dockerfile -t kangle-edge .` from the root of the checkout.
# Three stages: the pages by Node, the wheel and its locked packages by Python, and what runs: Python, the packages, a
# user without rights. Nothing in it is a secret, and nothing in it is written to when it runs.

FROM node:24-bookworm-slim AS pages
WORKDIR /src/edge/web
COPY edge/web/package.json edge/web/package-lock.json edge/web/.npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund --include=dev
COPY edge/web ./
COPY edge/api/openapi.json /src/edge/api/openapi.json
RUN npm run build

FROM python:3.11-slim-bookworm AS wheel
WORKDIR /src
COPY docker/requirements-build.lock docker/requirements-build.lock
RUN python -m venv /build && /build/bin/pip install --no-cache-dir --require-hashes -r docker/requirements-build.lock
COPY requirements.lock ./
RUN python -m venv /opt/kangle && /opt/kangle/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY drivers drivers
COPY firmware_sim firmware_sim
COPY edge edge
COPY --from=pages /src/edge/web/dist edge/web/dist
RUN /build/bin/hatchling build -t wheel -d /wheel
RUN /opt/kangle/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM python:3.11-slim-bookworm AS edge
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin kangle
COPY --from=wheel /opt/kangle /opt/kangle
ENV PATH=/opt/kangle/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# The site's folder is mounted at /etc/kangle (read-only), its stores at /var/lib/kangle, its sockets at /run/kangle.
VOLUME /var/lib/kangle
# The supervisor is process 1 itself: it takes SIGTERM, stops its children in order, and has no grandchildren to reap.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8600/readyz', timeout=4)"]
ENTRYPOINT ["kangle"]
CMD ["up", "--site", "/etc/kangle"]
