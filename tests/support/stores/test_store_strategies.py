"""Generated contents can be logged to every kind of store."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.stores.store import Store
from tests.support.stores.store_strategies import Experiment, rename_experiments, stores, write_store


@settings(
    max_examples=8,
    deadline=None,
    # Shrinking would write hundreds of stores.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    # The store is not emptied between examples; existing experiments are renamed instead.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.parametrize("store", ["sqlite", "postgres", "file", "server"], indirect=True)
@given(generated=stores())
def test_generated_contents_can_be_logged(store: Store, generated: list[Experiment]) -> None:
    """MLflow accepts all generated contents and returns each key and text unchanged."""
    rename_experiments(store.client)
    written = write_store(generated, store.client)
    for experiment, run_ids in zip(generated, written.run_ids, strict=True):
        for run, run_id in zip(experiment.runs, run_ids, strict=True):
            read = store.client.get_run(run_id)
            assert read.data.params == run.params
            assert {key: read.data.tags[key] for key in run.tags} == run.tags
            assert read.data.metrics.keys() == run.metrics.keys()
            assert read.info.status == run.status
            assert (read.info.start_time, read.info.end_time) == (run.started_at, run.ended_at)
