"""Runs r0, r1, ... in a store, and pages of their names."""

from typing import Any

from schema.ports.tracking import Page
from tests.support.stores.store import Store

NAMES = frozenset({"name"})


def create_runs(store: Store, experiment_id: str, count: int) -> list[str]:
    """Create runs r0, r1, ...; each starts later than the previous one and has a smaller loss."""
    ids = []
    for number in range(count):
        run = store.client.create_run(experiment_id, start_time=1000 + number, run_name=f"r{number}")
        store.client.log_metric(run.info.run_id, "loss", 1.0 / (number + 1), timestamp=5, step=number)
        store.client.log_param(run.info.run_id, "n", str(number))
        ids.append(run.info.run_id)
    return ids


def page_of_names(first: int = 100, after: Any = None, columns: frozenset[str] = NAMES) -> Page:
    """Return a page to request, by default of the first 100 names."""
    return Page(first, after, columns)
