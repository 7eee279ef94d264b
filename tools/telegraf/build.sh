#!/bin/sh
# Builds the Telegraf that tools/telegraf/go.mod pins, with the plugins named by the build tags $2, as the file $1.
# Needs Go; about 3 minutes on two cores, once for each version and set of plugins.
set -eu

target=${1:?usage: build.sh FILE TAGS}
tags=${2:?usage: build.sh FILE TAGS}
cd "$(dirname "$0")"

if ! command -v go >/dev/null 2>&1; then
    echo "cannot build telegraf: not found: go. Install Go (>= 1.21)." >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

module=github.com/influxdata/telegraf
version=$(sed -n "s|^require $module v||p" go.mod)
GOBIN=$work go install -trimpath -tags "$tags" -ldflags "-s -w -X $module/internal.Version=$version" \
    "$module/cmd/telegraf@v$version"

mkdir -p "$(dirname "$target")"
cp "$work/telegraf" "$target.$$"
mv "$target.$$" "$target"
