"""Grafana's dashboards as files: read, brought into normal form, checked."""
