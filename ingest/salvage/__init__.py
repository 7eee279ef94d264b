"""What is whole in a damaged file of the spool, found without SQLite's help."""
