"""The `TrackingWrites` port over MLflow's own stores; each change is one call in a worker thread."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from mlflow.entities import ExperimentTag, LifecycleStage, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_STATE, RESOURCE_ALREADY_EXISTS
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.utils.mlflow_tags import MLFLOW_USER
from typing_extensions import override

from gql_server.stores.allowed_roots import AllowedRoots, is_local
from gql_server.stores.ids import check_experiment_ids, check_run_ids
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.text_validation import check_text
from gql_server.stores.writes.batches import BatchEntities, batch_entities, batch_limits, split_batch
from gql_server.stores.writes.new_experiments import (
    check_experiment_name,
    experiment_tag_entities,
    new_experiment_tags,
)
from gql_server.stores.writes.new_runs import new_run_tags, run_name_tag
from gql_server.stores.writes.write_executor import Invalidate, WriteExecutor
from schema.ports.errors import BadUserInput, PublicError, UnsupportedByStore
from schema.ports.milliseconds import current_time
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, NewRun, RunUpdate, TrackingWrites

_IDEMPOTENT_BATCHES = {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
"""Stores that store data logged twice once, so that a batch is repeated after a conflict."""
_LOCAL_FOLDERS = {StoreKind.SQL, StoreKind.FILE}
"""Stores whose local artifact locations are folders of this machine."""
_UNKNOWN_USER = "unknown"
"""The user that MLflow's client sets for a run without one."""


class Invalidatable(Protocol):
    """A cache of the store's records, to be invalidated after each change."""

    async def invalidate(self, run_ids: Iterable[str] = (), experiment_ids: Iterable[str] = ()) -> None:
        """Invalidate the records of these runs and experiments, and all searches."""
        ...

    async def invalidate_all(self) -> None:
        """Invalidate all records."""
        ...


class WriteStore(TrackingWrites):
    """Changes to one of MLflow's tracking stores.

    `timeout` is in seconds for each call of the store. `cache` is invalidated after each change. New
    experiments may have artifact folders on this machine only below `roots`, because every client that can
    read the artifacts of a run can read those folders.
    """

    def __init__(
        self,
        calls: StoreCalls,
        kind: StoreKind,
        timeout: float,
        cache: Invalidatable,
        roots: AllowedRoots | None = None,
    ) -> None:
        self._calls = calls
        self._roots = roots or AllowedRoots()
        self._kind = kind
        self._cache = cache
        self._executor = WriteExecutor(calls, timeout)

    @override
    async def create_experiment(
        self, name: str, artifact_location: str | None, tags: Sequence[KeyValue]
    ) -> str:
        entities = await self._executor.validate(new_experiment_tags, name, artifact_location, tags)
        if artifact_location and self._kind in _LOCAL_FOLDERS:
            await self._executor.validate(self._check_folder, artifact_location)
        experiment_id = await self._executor.run(
            lambda store: str(store.create_experiment(name, artifact_location or None, entities)),
            self._cache.invalidate,
        )
        # The cache may contain that no experiment has this id.
        await self._cache.invalidate(experiment_ids=(experiment_id,))
        return experiment_id

    @override
    async def rename_experiment(self, experiment_id: str, name: str) -> None:
        check_experiment_ids((experiment_id,), self._kind)
        if self._kind is StoreKind.AZURE_ML:
            message = "Azure Machine Learning cannot rename an experiment."
            raise UnsupportedByStore(message)
        await self._executor.validate(check_experiment_name, name)
        await self._executor.run(
            partial(_rename, experiment_id, name), self._invalidate_experiment(experiment_id), idempotent=True
        )

    @override
    async def delete_experiment(self, experiment_id: str) -> None:
        check_experiment_ids((experiment_id,), self._kind)
        if self._kind is StoreKind.FILE and experiment_id == "0":
            message = "Cannot delete the default experiment '0'. This is an internally reserved experiment."
            raise UnsupportedByStore(message)
        await self._executor.run(
            lambda store: store.delete_experiment(experiment_id), self._cache.invalidate_all
        )

    @override
    async def restore_experiment(self, experiment_id: str) -> None:
        check_experiment_ids((experiment_id,), self._kind)
        await self._executor.run(
            lambda store: store.restore_experiment(experiment_id), self._cache.invalidate_all
        )

    @override
    async def set_experiment_tags(self, experiment_id: str, tags: Sequence[KeyValue]) -> None:
        check_experiment_ids((experiment_id,), self._kind)
        entities = await self._executor.validate(experiment_tag_entities, tags)
        functions = [partial(_set_experiment_tag, experiment_id, tag) for tag in entities]
        check = partial(_check_experiment, experiment_id)
        await self._executor.run_each(functions, check, self._invalidate_experiment(experiment_id), "set")

    @override
    async def delete_experiment_tags(self, experiment_id: str, keys: Sequence[str]) -> None:
        check_experiment_ids((experiment_id,), self._kind)
        await self._executor.validate(_check_keys, keys)
        functions = [partial(_delete_experiment_tag, experiment_id, key) for key in dict.fromkeys(keys)]
        check = partial(_check_experiment, experiment_id)
        await self._executor.run_each(functions, check, self._invalidate_experiment(experiment_id), "deleted")

    @override
    async def start_run(self, new: NewRun) -> str:
        check_experiment_ids((new.experiment_id,), self._kind)
        if new.parent_run_id is not None:
            check_run_ids((new.parent_run_id,))
        tags = (await self._executor.validate(batch_entities, Batch(tags=new_run_tags(new)))).tags
        users = [tag.value for tag in tags if tag.key == MLFLOW_USER]
        started_at = current_time() if new.started_at is None else new.started_at

        def create(store: AbstractStore) -> str:
            run = store.create_run(
                new.experiment_id, (users or [_UNKNOWN_USER])[-1], started_at, list(tags), new.name
            )
            return str(run.info.run_id)

        return await self._executor.run(create, self._cache.invalidate)

    @override
    async def update_run(self, run_id: str, update: RunUpdate) -> None:
        check_run_ids((run_id,))
        if update.name is not None:
            await self._executor.validate(batch_entities, Batch(tags=[run_name_tag(update.name)]))
        status = None if update.status is None else RunStatus.from_string(update.status)
        await self._executor.run(
            lambda store: store.update_run_info(run_id, status, update.ended_at, update.name),
            self._invalidate_run(run_id),
        )

    @override
    async def delete_run(self, run_id: str) -> None:
        check_run_ids((run_id,))
        await self._executor.run(lambda store: store.delete_run(run_id), self._invalidate_run(run_id))

    @override
    async def restore_run(self, run_id: str) -> None:
        check_run_ids((run_id,))
        await self._executor.run(lambda store: store.restore_run(run_id), self._invalidate_run(run_id))

    @override
    async def log_batch(self, run_id: str, batch: Batch) -> None:
        check_run_ids((run_id,))
        entities = await self._executor.validate(batch_entities, batch)
        stored = [0, 0, 0]
        for part in split_batch(entities, batch_limits(self._kind)):
            try:
                await self._executor.run(
                    partial(_log_batch, run_id, part),
                    self._invalidate_run(run_id),
                    idempotent=self._kind in _IDEMPOTENT_BATCHES,
                )
            except PublicError as error:
                if not any(entities):
                    raise
                message = f"{error} {_stored_message(stored, entities)}"
                raise error.with_message(message) from error
            stored = [count + size for count, size in zip(stored, part.sizes, strict=True)]

    @override
    async def delete_run_tags(self, run_id: str, keys: Sequence[str]) -> None:
        check_run_ids((run_id,))
        await self._executor.validate(_check_keys, keys)
        functions = [partial(_delete_run_tag, run_id, key) for key in dict.fromkeys(keys)]
        check = partial(_log_batch, run_id, BatchEntities((), (), ()))
        await self._executor.run_each(functions, check, self._invalidate_run(run_id), "deleted")

    async def close(self) -> None:
        """Release connections and threads; running writes continue to their end."""
        await self._calls.close()

    def _check_folder(self, location: str) -> None:
        if is_local(location) and not self._roots.contain(location):
            message = "artifactLocation may be a folder of this machine only below GQL_ARTIFACT_ROOTS."
            raise BadUserInput(message)

    def _invalidate_experiment(self, experiment_id: str) -> Invalidate:
        return lambda: self._cache.invalidate(experiment_ids=(experiment_id,))

    def _invalidate_run(self, run_id: str) -> Invalidate:
        return lambda: self._cache.invalidate((run_id,))


def _rename(experiment_id: str, name: str, store: AbstractStore) -> None:
    """Rename as MLflow's SQL store does, with checks for which MLflow relies on the database or has none."""
    if store.get_experiment(experiment_id).lifecycle_stage != LifecycleStage.ACTIVE:
        message = "Cannot rename a non-active experiment."
        raise MlflowException(message, error_code=INVALID_STATE)
    same_name = store.get_experiment_by_name(name)
    if same_name is None:
        store.rename_experiment(experiment_id, name)
    elif str(same_name.experiment_id) != experiment_id:
        message = f"Experiment(name={name}) already exists."
        raise MlflowException(message, error_code=RESOURCE_ALREADY_EXISTS)


def _set_experiment_tag(experiment_id: str, tag: ExperimentTag, store: AbstractStore) -> None:
    store.set_experiment_tag(experiment_id, tag)


def _delete_experiment_tag(experiment_id: str, key: str, store: AbstractStore) -> None:
    store.delete_experiment_tag(experiment_id, key)


def _check_experiment(experiment_id: str, store: AbstractStore) -> None:
    """Check as MLflow does before it changes a tag; MLflow has no call for a change of no tags."""
    stage = store.get_experiment(experiment_id).lifecycle_stage
    if stage != LifecycleStage.ACTIVE:
        message = f"The experiment {experiment_id} must be in the 'active' state. Current state is {stage}."
        raise MlflowException.invalid_parameter_value(message)


def _delete_run_tag(run_id: str, key: str, store: Any) -> None:
    store.delete_tag(run_id, key)


def _log_batch(run_id: str, part: BatchEntities, store: AbstractStore) -> None:
    store.log_batch(run_id, list(part.metrics), list(part.params), list(part.tags))


def _check_keys(keys: Sequence[str]) -> None:
    for index, key in enumerate(keys):
        check_text(f"keys[{index}]", key)


def _stored_message(stored: Sequence[int], entities: BatchEntities) -> str:
    parts = [
        f"{count:,} of {size:,} {kind}"
        for count, size, kind in zip(stored, entities.sizes, ("params", "metrics", "tags"), strict=True)
        if size
    ]
    return f"Certainly stored: {', '.join(parts)}."
