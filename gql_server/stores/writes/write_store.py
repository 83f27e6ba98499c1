"""The port for changes over MLflow's own stores: each change is MLflow's, in a worker thread, once."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from mlflow.entities import ExperimentTag, LifecycleStage, RunStatus
from mlflow.store.tracking.abstract_store import AbstractStore
from mlflow.utils.mlflow_tags import MLFLOW_USER

from gql_server.stores.allowed_roots import AllowedRoots, is_local
from gql_server.stores.ids import check_experiment_ids, check_run_ids
from gql_server.stores.mlflow.store_calls import StoreCalls
from gql_server.stores.text_validation import check_text
from gql_server.stores.writes import batches
from gql_server.stores.writes.new_experiments import check_name, experiment_tags, new_experiment
from gql_server.stores.writes.new_runs import run_name, tags_of
from gql_server.stores.writes.write_executor import Forget, WriteExecutor
from schema.ports.errors import BadUserInput, PublicError, UnsupportedByStore
from schema.ports.store_kind import StoreKind
from schema.ports.tracking_writes import Batch, KeyValue, NewRun, RunUpdate
from schema.types.mutations.log_inputs import now

_ONCE = {StoreKind.SQL, StoreKind.MLFLOW_SERVER}
"""Where logging the same twice leaves one: there a batch that others got in the way of is sent again."""
_OF_THIS_MACHINE = {StoreKind.SQL, StoreKind.FILE}
"""Where a folder is one that this server itself reads and writes."""
_NOBODY = "unknown"
"""Who MLflow's client says started a run where nobody says it."""


class Kept(Protocol):
    """What was kept of the store's answers, and has to be forgotten after a change."""

    async def invalidate(self, run_ids: Iterable[str] = (), experiment_ids: Iterable[str] = ()) -> None:
        """Forget what was kept of these, and all searches."""
        ...

    async def invalidate_all(self) -> None:
        """Forget everything."""
        ...


class WriteStore:
    """A tracking store of MLflow's that takes changes.

    `timeout` is in seconds and for each call of the store; `kept` forgets what was kept of its answers. New
    experiments may keep their artifacts in folders of this machine below `roots`, and in no others: whoever
    reads the artifacts of a run reads what is there.
    """

    def __init__(
        self,
        calls: StoreCalls,
        kind: StoreKind,
        timeout: float,
        kept: Kept,
        roots: AllowedRoots | None = None,
    ) -> None:
        self._calls = calls
        self._roots = roots or AllowedRoots()
        self._kind = kind
        self._kept = kept
        self._changes = WriteExecutor(calls, timeout)

    async def create_experiment(
        self, name: str, artifact_location: str | None, tags: Sequence[KeyValue]
    ) -> str:
        """Create an experiment and return its id; the name must be free, deleted experiments included."""
        entities = await self._changes.checked(new_experiment, name, artifact_location, tags)
        if artifact_location and self._kind in _OF_THIS_MACHINE:
            await self._changes.checked(self._check_folder, artifact_location)
        experiment_id = await self._changes.make(
            lambda store: str(store.create_experiment(name, artifact_location or None, entities)),
            self._kept.invalidate,
        )
        # That there was none of this id may have been kept.
        await self._kept.invalidate(experiment_ids=(experiment_id,))
        return experiment_id

    async def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an active experiment another name, which must be free."""
        check_experiment_ids((experiment_id,), self._kind)
        if self._kind is StoreKind.AZURE_ML:
            message = "Azure Machine Learning has no way to rename an experiment."
            raise UnsupportedByStore(message)
        await self._changes.checked(check_name, name)
        await self._changes.make(
            partial(_rename, experiment_id, name), self._of(experiment_id), idempotent=True
        )

    async def delete_experiment(self, experiment_id: str) -> None:
        """Mark an active experiment and its runs deleted."""
        check_experiment_ids((experiment_id,), self._kind)
        if self._kind is StoreKind.FILE and experiment_id == "0":
            message = "Cannot delete the default experiment '0'. This is an internally reserved experiment."
            raise UnsupportedByStore(message)
        await self._changes.make(
            lambda store: store.delete_experiment(experiment_id), self._kept.invalidate_all
        )

    async def restore_experiment(self, experiment_id: str) -> None:
        """Make a deleted experiment active again, and its runs."""
        check_experiment_ids((experiment_id,), self._kind)
        await self._changes.make(
            lambda store: store.restore_experiment(experiment_id), self._kept.invalidate_all
        )

    async def set_experiment_tags(self, experiment_id: str, tags: Sequence[KeyValue]) -> None:
        """Set tags in the order given; where one fails, those before it are set and the message says so."""
        check_experiment_ids((experiment_id,), self._kind)
        entities = await self._changes.checked(experiment_tags, tags)
        changes = [partial(_set_experiment_tag, experiment_id, tag) for tag in entities]
        await self._changes.each(changes, self._of(experiment_id), "set")

    async def delete_experiment_tags(self, experiment_id: str, keys: Sequence[str]) -> None:
        """Delete tags in the order given; `NotFound` where one is not there, those before it are gone."""
        check_experiment_ids((experiment_id,), self._kind)
        await self._changes.checked(_check_keys, keys)
        changes = [partial(_delete_experiment_tag, experiment_id, key) for key in dict.fromkeys(keys)]
        await self._changes.each(changes, self._of(experiment_id), "deleted")

    async def start_run(self, new: NewRun) -> str:
        """Start a run in an active experiment and return its id."""
        check_experiment_ids((new.experiment_id,), self._kind)
        if new.parent_run_id is not None:
            check_run_ids((new.parent_run_id,))
        tags = (await self._changes.checked(batches.entities, Batch(tags=tags_of(new)))).tags
        users = [tag.value for tag in tags if tag.key == MLFLOW_USER]
        started_at = now() if new.started_at is None else new.started_at

        def start(store: AbstractStore) -> str:
            made = store.create_run(
                new.experiment_id, (users or [_NOBODY])[-1], started_at, list(tags), new.name
            )
            return str(made.info.run_id)

        return await self._changes.make(start, self._kept.invalidate)

    async def update_run(self, run_id: str, update: RunUpdate) -> None:
        """Change an active run's name, status or end."""
        check_run_ids((run_id,))
        if update.name is not None:
            await self._changes.checked(batches.entities, Batch(tags=[run_name(update.name)]))
        status = None if update.status is None else RunStatus.from_string(update.status)
        await self._changes.make(
            lambda store: store.update_run_info(run_id, status, update.ended_at, update.name),
            self._of_run(run_id),
        )

    async def delete_run(self, run_id: str) -> None:
        """Mark a run deleted."""
        check_run_ids((run_id,))
        await self._changes.make(lambda store: store.delete_run(run_id), self._of_run(run_id))

    async def restore_run(self, run_id: str) -> None:
        """Make a deleted run active again."""
        check_run_ids((run_id,))
        await self._changes.make(lambda store: store.restore_run(run_id), self._of_run(run_id))

    async def log_batch(self, run_id: str, batch: Batch) -> None:
        """Log params, then metrics, then tags, in as many calls as the store needs.

        All is checked before anything is sent. Where a call fails, those before it are stored, and the
        message says how much that is.
        """
        check_run_ids((run_id,))
        whole = await self._changes.checked(batches.entities, batch)
        stored = [0, 0, 0]
        for piece in batches.pieces(whole, batches.limits_of(self._kind)):
            try:
                await self._changes.make(
                    partial(_log_batch, run_id, piece),
                    self._of_run(run_id),
                    idempotent=self._kind in _ONCE,
                )
            except PublicError as fault:
                message = f"{fault} {_stored(stored, whole)}"
                raise type(fault)(message) from fault
            stored = [before + more for before, more in zip(stored, piece.sizes, strict=True)]

    async def delete_run_tags(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete tags in the order given; `NotFound` where one is not there, those before it are gone."""
        check_run_ids((run_id,))
        await self._changes.checked(_check_keys, keys)
        changes = [partial(_delete_run_tag, run_id, key) for key in dict.fromkeys(keys)]
        await self._changes.each(changes, self._of_run(run_id), "deleted")

    async def close(self) -> None:
        """Let go of connections and threads; what is under way ends by itself."""
        await self._calls.close()

    def _check_folder(self, location: str) -> None:
        if is_local(location) and not self._roots.hold(location):
            message = "artifactLocation may be a folder of this machine only below GQL_ARTIFACT_ROOTS."
            raise BadUserInput(message)

    def _of(self, experiment_id: str) -> Forget:
        return lambda: self._kept.invalidate(experiment_ids=(experiment_id,))

    def _of_run(self, run_id: str) -> Forget:
        return lambda: self._kept.invalidate((run_id,))


def _rename(experiment_id: str, name: str, store: AbstractStore) -> None:
    """Rename, as MLflow's SQL store does it; what it leaves to the database, or to chance, is asked first."""
    if store.get_experiment(experiment_id).lifecycle_stage != LifecycleStage.ACTIVE:
        message = "Cannot rename a non-active experiment."
        raise BadUserInput(message)
    named = store.get_experiment_by_name(name)
    if named is None:
        store.rename_experiment(experiment_id, name)
    elif str(named.experiment_id) != experiment_id:
        message = f"Experiment(name={name}) already exists."
        raise BadUserInput(message)


def _set_experiment_tag(experiment_id: str, tag: ExperimentTag, store: AbstractStore) -> None:
    store.set_experiment_tag(experiment_id, tag)


def _delete_experiment_tag(experiment_id: str, key: str, store: AbstractStore) -> None:
    store.delete_experiment_tag(experiment_id, key)


def _delete_run_tag(run_id: str, key: str, store: Any) -> None:
    store.delete_tag(run_id, key)


def _log_batch(run_id: str, piece: batches.BatchEntities, store: AbstractStore) -> None:
    store.log_batch(run_id, list(piece.metrics), list(piece.params), list(piece.tags))


def _check_keys(keys: Sequence[str]) -> None:
    for place, key in enumerate(keys):
        check_text(f"keys[{place}]", key)


def _stored(stored: Sequence[int], whole: batches.BatchEntities) -> str:
    parts = [
        f"{count:,} of {size:,} {kind}"
        for count, size, kind in zip(stored, whole.sizes, ("params", "metrics", "tags"), strict=True)
        if size
    ]
    return f"Certainly stored: {', '.join(parts)}."
