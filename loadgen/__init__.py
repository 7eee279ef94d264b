"""loadgen plays the sensors: it sends events at a fixed rate, measures the answers and checks what was stored."""
