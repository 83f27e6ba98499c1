"""Tests of subscriptions by real clients over real stores."""
