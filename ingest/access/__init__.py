"""Who may come in: tokens and their rights, what browsers may do for other sites, TLS."""
