"""``loadgen report``: results files to a table, a comparison and plots."""
