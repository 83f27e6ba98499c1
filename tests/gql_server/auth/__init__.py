"""Tests of who asks, and of what they may do."""
