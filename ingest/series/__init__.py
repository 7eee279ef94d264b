"""Which series there are, and how many more may come: whoever makes up names takes no room from known sensors."""
