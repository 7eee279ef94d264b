# One image for ingest, loadgen and the one-shots of docker-compose.yml. It runs as any user, on a read-only file system.

FROM python:3.13-slim AS dependencies
# A compiler, for the processors that hdrhistogram has no wheel for (64-bit ARM).
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.lock /
RUN python -m venv --without-pip /opt/pulso \
    && python -m pip --python /opt/pulso/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes -r /requirements.lock

FROM python:3.13-slim
# The numbers that docker-compose.yml counts on: ingest is 10001; whoever makes the secrets is 10000 and nobody else.
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin pulso \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data /files \
    && install --directory --owner=10000 --group=10000 --mode=0711 /run/secrets/pulso
COPY --from=dependencies /opt/pulso /opt/pulso
WORKDIR /app
COPY credentials ./credentials
COPY influx ./influx
COPY ingest ./ingest
COPY loadgen ./loadgen
RUN python -m compileall -q .
ENV PATH=/opt/pulso/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    INGEST_HOST=0.0.0.0 \
    INGEST_DATA_DIR=/data
USER 10001:10001
EXPOSE 5000
CMD ["python", "-m", "ingest", "serve"]
