"""The OTEL_* variables configure tracing."""

import pytest

from gql_server.observability.tracing import TracingConfigError, set_up_tracing


def test_unknown_exporter_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names an exporter that is not supported; without OTEL_* variables tracing is off."""
    set_up_tracing()
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
    with pytest.raises(TracingConfigError, match="zipkin"):
        set_up_tracing()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    set_up_tracing()
