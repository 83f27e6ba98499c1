"""Traces by OpenTelemetry, set up by its usual OTEL_* variables; without them nothing is recorded.

Spans have names, hashes and numbers; never a document, a variable or a credential.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_tracer = trace.get_tracer("gql_server")
_NOTHING = nullcontext(trace.INVALID_SPAN)


class TracingConfigError(ValueError):
    """The OTEL_* variables ask for what is not there."""


def set_up_tracing() -> None:
    """Send spans where the environment says, if it does; raise CannotTrace where that cannot be."""
    exporter = _exporter()
    if exporter is not None:
        # The provider itself reads OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and the like.
        os.environ.setdefault("OTEL_SERVICE_NAME", "mlflow-gql-server")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)


def _exporter() -> SpanExporter | None:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    named = os.environ.get("OTEL_TRACES_EXPORTER", "")
    kind = named or ("otlp" if any(os.environ.get(name) for name in _ENDPOINTS) else "none")
    if kind == "none":
        return None
    if kind == "console":
        return ConsoleSpanExporter()
    if kind != "otlp":
        message = f"OTEL_TRACES_EXPORTER={kind}: only otlp, console and none are known."
        raise TracingConfigError(message)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
    except ImportError:
        message = "Traces over OTLP need an exporter: pip install 'mlflow-gql-server[otlp]'"
        raise TracingConfigError(message) from None
    return OTLPSpanExporter()


def span(name: str, **attributes: Any) -> AbstractContextManager[trace.Span]:
    """Record what runs inside; what fails there is told by its type alone."""
    # Whoever runs the process may have set tracing up before us.
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return _NOTHING
    return _span(name, attributes)


@contextmanager
def _span(name: str, attributes: dict[str, Any]) -> Iterator[trace.Span]:
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def level(type_name: str, rows: int) -> AbstractContextManager[trace.Span]:
    """Record the completion of a level of an operation."""
    return span(f"level {type_name}", **{"gql.rows": rows})
