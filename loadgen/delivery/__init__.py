"""Delivery: batches of recorded or made-up history, each sent until the service has answered for it."""
