module pulso/tools/telegraf

go 1.26.0

// Only the version: build.sh installs it as `go install …@version` does, by Telegraf's own go.mod.
require github.com/influxdata/telegraf v1.39.3
