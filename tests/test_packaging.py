"""The package, the container image and the table of settings match their sources."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from gql_server.config.settings import Settings
from tests.support.uv import run_uv

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {"constraints.txt": EXTRAS.keys() - {"azure"}, "constraints-azure.txt": EXTRAS.keys()}
"""The constraint files, each with the extras that it is for."""


def constraints(file: str) -> list[str]:
    """Return the lines of a constraint file without its comment."""
    return [line for line in (ROOT / file).read_text().splitlines() if not line.startswith("#")]


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
    """README has both install commands of the Dockerfile, without and with Azure."""
    installs = re.findall(r"pip install --no-cache-dir (.*);", (ROOT / "Dockerfile").read_text())
    assert len(LOCKS) == len(installs) == 2
    for install in installs:
        assert f"    pip install {install}\n" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("file", LOCKS)
def test_constraints_cover_every_dependency(file: str) -> None:
    """Each requirement, of extras too, has a version in the constraint file that satisfies it."""
    locked = {Requirement(line).name: Requirement(line) for line in constraints(file)}
    for line in PROJECT["dependencies"] + [line for extra in LOCKS[file] for line in EXTRAS[extra]]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            continue
        (pin,) = locked[requirement.name].specifier
        assert requirement.specifier.contains(pin.version), line


@pytest.mark.parametrize("file", LOCKS)
def test_constraints_are_one_resolution(file: str) -> None:
    """The versions exist, fit together on each supported Python, and are all that an installation needs."""
    extras = [f"--extra={extra}" for extra in LOCKS[file]]
    options = ("--universal", "--python-version", "3.11", "--no-annotate", "--no-header")
    resolved = run_uv("pip", "compile", *options, *extras, "--constraint", file, "pyproject.toml")
    assert resolved.splitlines() == constraints(file)


def test_newest_lock_is_not_bound_by_azure() -> None:
    """Only the constraints of the extra `azure` have its plugin and the MLflow that it needs."""
    assert not [line for line in constraints("constraints.txt") if line.startswith("azure")]
    (newest, azure) = [
        Version(line.partition("==")[2])
        for file in LOCKS
        for line in constraints(file)
        if line.startswith("mlflow-skinny")
    ]
    assert newest >= azure


def test_constraints_of_this_environment_are_installed() -> None:
    """The tests run with the versions of a constraint file: with the plugin for Azure, of its file."""
    installed = {canonicalize_name(found.name): found.version for found in distributions()}
    file = "constraints-azure.txt" if "azureml-mlflow" in installed else "constraints.txt"
    for line in constraints(file):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.specifier.contains(installed[canonicalize_name(requirement.name)]), line


@pytest.mark.parametrize("file", LOCKS)
def test_constraints_contain_no_url(file: str) -> None:
    """Constraint files have only versions; the index is chosen by the machine that installs them."""
    assert not [line for line in constraints(file) if "://" in line or "@" in line or "--" in line]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_each_setting_is_documented(name: str) -> None:
    """The table in README has each setting with its default and its description."""
    field = Settings.model_fields[name]
    # Booleans are written in lower case, as they are set in the environment.
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    row = f"| `GQL_{name.upper()}` | {default} | {field.description} |"
    assert row in (ROOT / "README.md").read_text()
