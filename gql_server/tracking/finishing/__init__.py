"""Finishing here what a store cannot do itself: conditions, orders, pages, counts and groups over a scan."""
