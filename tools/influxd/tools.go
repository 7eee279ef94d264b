//go:build tools

// Package tools pins the programs that build.sh compiles; nothing here is linked into Pulso.
package tools

import (
	_ "github.com/influxdata/influxdb/v2/cmd/influxd"
	_ "github.com/influxdata/pkg-config"
)
