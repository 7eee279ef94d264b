#!/bin/sh
# Builds the InfluxDB server that tools/influxd/go.mod pins and installs it as the file named by $1.
# Needs Go, Rust and a C compiler; about 6 minutes on two cores, once for each version.
set -eu

target=${1:?usage: build.sh FILE}
cd "$(dirname "$0")"

missing=
for program in go cargo rustc cc pkg-config; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "cannot build influxd: not found:$missing. Install them (Go >= 1.21, Rust, a C compiler, pkg-config), or set INFLUXDB_URL and INFLUXDB_TOKEN, or start a Docker engine." >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Flux asks for an old toolchain; the installed one builds it as well.
if command -v rustup >/dev/null 2>&1; then
    RUSTUP_TOOLCHAIN=$(rustup show active-toolchain | cut -d ' ' -f 1)
    export RUSTUP_TOOLCHAIN
fi

# Flux denies warnings, and a newer compiler has new ones; RUSTFLAGS does not reach its build script, a wrapper does.
cat >"$work/rustc" <<'WRAPPER'
#!/bin/sh
for argument in "$@"; do
    case $argument in --cap-lints*) exec "$@" ;; esac
done
exec "$@" --cap-lints warn
WRAPPER
chmod +x "$work/rustc"
export RUSTC_WRAPPER="$work/rustc"

# InfluxData's pkg-config builds Flux's Rust library when cgo asks for it.
go build -o "$work/pkg-config" github.com/influxdata/pkg-config
export PKG_CONFIG="$work/pkg-config"

version=$(go list -m -f '{{.Version}}' github.com/influxdata/influxdb/v2)
go build -tags sqlite_foreign_keys,sqlite_json,noassets \
    -ldflags "-s -w -X main.version=$version" \
    -o "$work/influxd" github.com/influxdata/influxdb/v2/cmd/influxd

mkdir -p "$(dirname "$target")"
cp "$work/influxd" "$target.$$"
mv "$target.$$" "$target"
