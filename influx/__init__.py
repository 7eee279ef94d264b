"""What InfluxDB must hold for Pulso, declared once and applied as often as you like."""
