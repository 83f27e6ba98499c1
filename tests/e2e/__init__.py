"""Tests of whole journeys: from a request to the stored data and back."""
