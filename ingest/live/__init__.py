"""What has just arrived, for those who watch: arrivals are kept for a while, and followed as a feed of frames."""
