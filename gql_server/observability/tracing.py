"""OpenTelemetry traces, configured by the standard OTEL_* variables and off without them.

Spans contain names, hashes and numbers, but no document, variable or credential.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from opentelemetry import trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_tracer = trace.get_tracer("gql_server")
_NO_SPAN = nullcontext(trace.INVALID_SPAN)


class TracingConfigError(ValueError):
    """The OTEL_* variables name an exporter that is unknown or not installed."""


def set_up_tracing() -> None:
    """Export spans as the environment configures it; raise TracingConfigError if that is not possible."""
    exporter = _exporter()
    if exporter is not None:
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - most servers export no spans
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        # TracerProvider itself reads OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER and similar variables.
        os.environ.setdefault("OTEL_SERVICE_NAME", "mlflow-gql-server")
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)


def _exporter() -> "SpanExporter | None":
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    default = "otlp" if any(os.environ.get(name) for name in _ENDPOINTS) else "none"
    kind = os.environ.get("OTEL_TRACES_EXPORTER") or default
    if kind == "none":
        return None
    if kind == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter  # noqa: PLC0415

        return ConsoleSpanExporter()
    if kind != "otlp":
        message = f"OTEL_TRACES_EXPORTER={kind} is not supported; use otlp, console or none."
        raise TracingConfigError(message)
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - an extra
            OTLPSpanExporter,
        )
    except ImportError:
        message = "Exporting traces over OTLP needs a package: pip install 'mlflow-gql-server[otlp]'"
        raise TracingConfigError(message) from None
    return OTLPSpanExporter()


def is_tracing() -> bool:
    """Return whether spans are recorded."""
    # A program that embeds this server may have set a provider before.
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def span(name: str, **attributes: Any) -> AbstractContextManager[trace.Span]:
    """Record the block as a span. An exception sets the status to its type, without its message."""
    return _span(name, attributes) if is_tracing() else _NO_SPAN


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


def level_span(type_name: str, rows: int) -> AbstractContextManager[trace.Span]:
    """Record the completion of one level of an operation."""
    return span(f"level {type_name}", **{"gql.rows": rows})
