"""Execution of an operation: by its plan if it has one, and by graphql-core otherwise."""

from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute

from schema.engine.level_execution import LevelExecution
from schema.engine.operation import Operation
from schema.engine.operation_plan import PlannedQuery
from schema.ports.errors import LimitExceeded
from schema.ports.table import Row


async def execute_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    planned: PlannedQuery | None,
    *,
    root: Row,
    operation: Operation,
    variables: dict[str, Any],
    name: str | None = None,
    execution: type[LevelExecution] = LevelExecution,
) -> ExecutionResult:
    """Return the result of the operation with this name in a valid document.

    `planned` is the plan of the operation for these variables, if it has one.
    """
    if planned is not None:
        try:
            return ExecutionResult(await planned.plan.execute(root, operation, planned.variables))
        except Exception:  # noqa: BLE001, S110 - graphql-core meets the same failure, and reports it
            pass
        if (error := operation.answer.error) is not None:
            return _failed(error)
    result = execute(
        schema,
        document,
        root_value=root,
        context_value=operation,
        variable_values=variables,
        operation_name=name,
        execution_context_class=execution,
    )
    executed = result if isinstance(result, ExecutionResult) else await result
    error = operation.answer.error
    return executed if error is None else _failed(error)


def _failed(error: LimitExceeded) -> ExecutionResult:
    """Return the result without data of an operation that is not completed."""
    return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
