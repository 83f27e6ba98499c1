"""What installers, container builds and readers of the documentation rely on."""

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
    """Return the Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_images_sources_exist() -> None:
    """Everything that the Dockerfile copies is there, and let through by .dockerignore."""
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
    copies = [line.split()[1:-1] for line in dockerfile() if line.startswith("COPY") and "--from" not in line]
    sources = [source for copy in copies for source in copy]
    assert sources
    for source in sources:
        assert (ROOT / source).exists()
        assert source in allowed


def test_the_image_runs_the_command_as_nobody_special() -> None:
    """The last stage builds nothing, drops root, is probed, and serves on port 8000 to other machines."""
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


def test_the_image_installs_as_the_readme_says() -> None:
    """The Dockerfile's install line stands in the README, so that both stay true together."""
    (line,) = re.findall(r"pip install --no-cache-dir (.*)", (ROOT / "Dockerfile").read_text())
    assert f"pip install {line}" in (ROOT / "README.md").read_text()


def test_the_lock_holds_every_dependency() -> None:
    """Each requirement, extras included, has a version in constraints.txt that it admits."""
    locked = {Requirement(line).name: Requirement(line) for line in CONSTRAINTS}
    extras = [line for group in PROJECT["optional-dependencies"].values() for line in group]
    for line in PROJECT["dependencies"] + extras:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            continue
        (pin,) = locked[requirement.name].specifier
        assert requirement.specifier.contains(pin.version), line


def test_the_lock_names_no_address() -> None:
    """The lock has versions only: where they are fetched from is the installing machine's matter."""
    assert not [line for line in CONSTRAINTS if "://" in line or "@" in line or "--" in line]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_is_documented(name: str) -> None:
    """README's table has each setting with its default and its description."""
    field = Settings.model_fields[name]
    # Booleans are written as the environment has them; the rest as it is read.
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    row = f"| `GQL_{name.upper()}` | {default} | {field.description} |"
    assert row in (ROOT / "README.md").read_text()
