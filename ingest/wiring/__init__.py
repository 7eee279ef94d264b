"""The pieces that a service is wired of: each made from settings, and the same in every process."""
