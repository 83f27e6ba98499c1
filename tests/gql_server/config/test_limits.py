"""The limits object has the values of the settings."""

from dataclasses import FrozenInstanceError, fields

import pytest

from gql_server.config.settings import Settings


def test_limits_have_the_values_of_their_settings() -> None:
    """Each field of each group has the value of the setting with the same name."""
    settings = Settings(tracking_uri="unused:", max_depth=7, store_timeout=3.5, max_rows=1234)
    for group in fields(settings.limits):
        limits = getattr(settings.limits, group.name)
        for limit in fields(limits):
            assert getattr(limits, limit.name) == getattr(settings, limit.name)
    assert settings.limits.documents.max_depth == 7


def test_limits_are_created_once_and_frozen() -> None:
    """The settings have one limits object, which cannot be changed."""
    settings = Settings(tracking_uri="unused:")
    assert settings.limits is settings.limits
    with pytest.raises(FrozenInstanceError):
        settings.limits.documents.max_depth = 1  # type: ignore[misc]
