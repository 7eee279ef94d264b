"""The HTTP routes: a request in, an answer out, everything between in other modules."""
