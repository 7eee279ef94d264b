#!/bin/sh
# Starts Telegraf on a configuration of this folder: start.sh [telegraf.conf | mqtt.conf]
# PULSO_INGEST_TOKEN_FILE names the file of a token for ingest, if it wants one.
# PULSO_TELEGRAF_TOKEN_FILE names the token's file. Telegraf reads secrets from files, but only from those whose name is
# one word; `influx apply` calls its file telegraf.token, so Telegraf is shown a link.
set -eu
configuration=$(cd "$(dirname "$0")" && pwd)/${1:-telegraf.conf}
if [ ! -r "$configuration" ]; then
    echo "telegraf: there is no $configuration" >&2
    exit 1
fi
if grep -q '@{tokens:' "$configuration"; then
    token=${PULSO_TELEGRAF_TOKEN_FILE:-/run/secrets/pulso/telegraf.token}
    if [ ! -r "$token" ]; then
        echo "telegraf: cannot read the token in $token: make it with \`python -m influx apply\`, or name its file with PULSO_TELEGRAF_TOKEN_FILE" >&2
        exit 1
    fi
    PULSO_TELEGRAF_SECRETS=$(mktemp -d)
    export PULSO_TELEGRAF_SECRETS
    ln -s "$(cd "$(dirname "$token")" && pwd)/$(basename "$token")" "$PULSO_TELEGRAF_SECRETS/telegraf"
fi
if [ -n "${PULSO_INGEST_TOKEN_FILE-}" ]; then
    if [ ! -r "$PULSO_INGEST_TOKEN_FILE" ]; then
        echo "telegraf: cannot read the token for ingest in $PULSO_INGEST_TOKEN_FILE" >&2
        exit 1
    fi
    PULSO_INGEST_TOKEN=$(cat "$PULSO_INGEST_TOKEN_FILE")
    export PULSO_INGEST_TOKEN
fi
exec telegraf --strict-env-handling --config "$configuration"
