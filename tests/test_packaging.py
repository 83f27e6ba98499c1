"""The package, the container image and the table of settings match their sources."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gql_server.config.settings import Settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "constraints.txt").read_text().splitlines()
CONSTRAINTS = [line for line in LOCK if line and not line.startswith("#")]


def dockerfile() -> list[str]:
    """Return the instructions of the Dockerfile, with continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_copied_files_exist() -> None:
    """Every file that the Dockerfile copies exists, and .dockerignore includes it."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    copies = [line.split()[1:-1] for line in dockerfile() if line.startswith("COPY") and "--from" not in line]
    sources = [source for copy in copies for source in copy]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert source in allowed


def test_image_runs_the_server_without_root() -> None:
    """The last stage builds nothing, drops root, has a health check, and listens on all interfaces."""
    lines = dockerfile()
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM")) :]
    text = "\n".join(last)
    assert "pip" not in text
    assert "apt" not in text
    assert re.search(r"^USER (?!root|0)", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "EXPOSE 8000" in text
    assert "GQL_HOST=0.0.0.0" in text
    assert last[-2:] == ['ENTRYPOINT ["gql-server"]', 'CMD ["serve"]']
    assert "gql-server" in PROJECT["scripts"]


def test_image_is_installed_like_in_the_readme() -> None:
    """README has the install command of the Dockerfile."""
    (line,) = re.findall(r"pip install --no-cache-dir (.*)", (ROOT / "Dockerfile").read_text())
    assert f"pip install {line}" in (ROOT / "README.md").read_text()


def test_constraints_cover_every_dependency() -> None:
    """Each requirement, of extras too, has a version in constraints.txt that satisfies it."""
    locked = {Requirement(line).name: Requirement(line) for line in CONSTRAINTS}
    extras = [line for group in PROJECT["optional-dependencies"].values() for line in group]
    for line in PROJECT["dependencies"] + extras:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            continue
        (pin,) = locked[requirement.name].specifier
        assert requirement.specifier.contains(pin.version), line


def test_constraints_contain_no_url() -> None:
    """constraints.txt has only versions; the index is chosen by the machine that installs them."""
    assert not [line for line in CONSTRAINTS if "://" in line or "@" in line or "--" in line]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_is_documented(name: str) -> None:
    """The table in README has each setting with its default and its description."""
    field = Settings.model_fields[name]
    # Booleans are written in lower case, as they are set in the environment.
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    row = f"| `GQL_{name.upper()}` | {default} | {field.description} |"
    assert row in (ROOT / "README.md").read_text()
