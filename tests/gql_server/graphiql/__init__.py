"""Tests of the page at /graphql, as HTTP has it."""
