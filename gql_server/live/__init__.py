"""Operations whose results are events: the transports of subscriptions, and what produces the events."""
