"""The secrets that the compose file's services start with: made once, at random, and kept in files."""
