"""The spool: what is on disk and not yet in InfluxDB, in the order it came, and what became of the rest."""
