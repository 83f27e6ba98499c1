"""Real stores and databases, and the data that tests write to them."""
