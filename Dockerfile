# One image for every service; the command says which. Without the extra `local`: Kafka and MongoDB are elsewhere.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python3 -m venv /opt/build && python3 -m venv --without-pip /opt/luodi
# The locked packages change seldom: a layer of their own.
COPY requirements requirements
RUN /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
 && /opt/build/bin/pip --python /opt/luodi/bin/python install --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY luodi luodi
COPY services services
COPY schemas schemas
COPY seeds seeds
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/build/bin/pip --python /opt/luodi/bin/python install --no-deps dist/luodi-*.whl \
 && /opt/luodi/bin/python -m compileall -q /opt/luodi/lib

FROM ${PYTHON}
LABEL org.opencontainers.image.title="Luodi" \
      org.opencontainers.image.description="Carries investment projects from a signature to a running factory" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 luodi \
 && useradd --system --uid 10001 --gid luodi --home-dir /tmp --no-create-home --shell /usr/sbin/nologin luodi \
 && install --directory --owner=luodi --group=luodi --mode=0750 /var/lib/luodi
COPY --from=build /opt/luodi /opt/luodi
ENV PATH=/opt/luodi/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LUODI_HOME=/tmp/luodi \
    LUODI_INGEST_LISTEN=0.0.0.0:8101 \
    LUODI_TRACKER_LISTEN=0.0.0.0:8102 \
    LUODI_NOTIFY_LISTEN=0.0.0.0:8103
USER 10001:10001
WORKDIR /
EXPOSE 8101 8102 8103
STOPSIGNAL SIGTERM
# Of the default command; docker-compose.yml has one for each service.
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s --retries=6 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8101/ready', timeout=3)"]
CMD ["python", "-m", "services.ingest"]
