#!/bin/sh
# Builds the Docker Compose that tools/compose/go.mod pins and installs it as the file named by $1.
# Needs Go; about 2 minutes on two cores, once for each version.
set -eu

target=${1:?usage: build.sh FILE}
cd "$(dirname "$0")"

if ! command -v go >/dev/null 2>&1; then
    echo "cannot build docker-compose: not found: go. Install Go (>= 1.21)." >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=$(go list -m -f '{{.Version}}' github.com/docker/compose/v5)
go build -trimpath -ldflags "-s -w -X github.com/docker/compose/v5/internal.Version=$version" \
    -o "$work/docker-compose" github.com/docker/compose/v5/cmd

mkdir -p "$(dirname "$target")"
cp "$work/docker-compose" "$target.$$"
mv "$target.$$" "$target"
