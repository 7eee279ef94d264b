//go:build tools

// Package tools pins the program that build.sh compiles; nothing here is linked into Pulso.
package tools

import (
	_ "github.com/docker/compose/v5/cmd"
)
