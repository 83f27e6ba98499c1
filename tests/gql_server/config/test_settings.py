"""The settings are grouped by subject, and each list of settings follows the groups."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from gql_server.config.settings import SUBJECTS, Settings

README = (Path(__file__).parents[3] / "README.md").read_text()


def test_each_setting_belongs_to_one_subject() -> None:
    """The subjects together have all settings, each once, in the order of the settings class."""
    assert [name for group in SUBJECTS.values() for name in group.model_fields] == list(Settings.model_fields)


def test_readme_lists_the_settings_in_order() -> None:
    """README's table lists the settings by subject, in the order of the settings class."""
    rows = re.findall(r"^\| `GQL_([A-Z_]+)` \|", README, re.MULTILINE)
    assert [row.lower() for row in rows] == list(Settings.model_fields)


@pytest.mark.parametrize("field", ["allowed_hosts", "allowed_origins"])
def test_list_entries_are_checked(field: str) -> None:
    """An entry with a path is neither a host name nor an origin, and the error quotes it."""
    with pytest.raises(ValidationError, match=r"'https://a\.example/'"):
        Settings(tracking_uri="unused:", **{field: "*, https://a.example/"})


def test_lists_are_split_and_lowered() -> None:
    """Origins and host names are compared in lower case, without the spaces around commas."""
    settings = Settings(
        tracking_uri="unused:", allowed_hosts="*.Example.org, b", allowed_origins="HTTPS://A.example, *"
    )
    assert settings.host_names == {"*.example.org", "b", "127.0.0.1"}
    assert settings.origins == ("https://a.example", "*")


def test_writable_workers_need_a_shared_cache() -> None:
    """Several workers with separate caches refuse writes, unless nothing is cached."""
    with pytest.raises(ValidationError, match="set cache_url"):
        Settings(tracking_uri="unused:", writable=True, workers=2)
    settings = {"cache_ended_seconds": 0.0, "cache_running_seconds": 0.0}
    assert Settings(tracking_uri="unused:", writable=True, workers=2, **settings).writable
