"""The production shape: it parses, and agrees with the settings and with what the demo runs."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from zsk import feeds, processes

ROOT = Path(__file__).resolve().parents[2]
# Read by gunicorn, Celery or Python themselves rather than by us.
FOREIGN = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}


class OnceLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, as Compose does; PyYAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _value in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), f"doubled key in line {node.start_mark.line + 1}: {keys}"
        return super().construct_mapping(node, deep)


def compose() -> dict[str, Any]:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, OnceLoader)
    return content


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    return {name: service for name, service in services().items() if service.get("image") == "zsk"}


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def variables_in_settings() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "zsk").glob("*.py")]
    return set(
        re.findall(r'env\.(?:text|flag|number|numbered|items|origin)\(\s*"([A-Z_]+)"', "\n".join(sources))
    )


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("migrate", processes.MIGRATE),
        ("web", processes.WEB),
        ("worker", processes.WORKER),
        ("beat", processes.beat(Path("/tmp"))),
    ],
)
def test_commands_are_those_of_the_demo(service: str, command: tuple[str, ...]) -> None:
    assert services()[service]["command"] == list(command)


def test_image_serves_the_web_by_default() -> None:
    words = re.findall(r"^CMD \[(.*)\]$", dockerfile(), re.MULTILINE)
    assert yaml.safe_load(f"[{words[-1]}]") == list(processes.WEB)


@pytest.mark.parametrize("service", sorted(ours()))
def test_every_variable_exists_in_the_settings(service: str) -> None:
    names = {name.removesuffix("_FILE") for name in ours()[service]["environment"]}
    assert names <= variables_in_settings()


@pytest.mark.parametrize("service", sorted(ours()))
def test_any_other_setting_can_be_passed(service: str) -> None:
    assert ours()[service]["env_file"] == [{"path": "deploy/settings.env", "required": False}]


def test_every_setting_is_described_once() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert sorted(described) == sorted(variables_in_settings())
    for name in feeds.NAMES:
        assert f"`{name.upper()}`" in text


def test_every_variable_of_the_image_exists_in_the_settings() -> None:
    final = dockerfile().rpartition("\nFROM ")[2]
    lines = re.findall(r"^ENV (.*)$", final, re.MULTILINE)
    names = {name for line in lines for name in re.findall(r"([A-Z_]+)=", line)}
    assert names - FOREIGN <= variables_in_settings()


@pytest.mark.parametrize("service", sorted(services()))
def test_every_service_is_watched(service: str) -> None:
    assert services()[service]["healthcheck"]


@pytest.mark.parametrize("service", sorted(services()))
def test_no_service_runs_as_root(service: str) -> None:
    found = services()[service]
    # Our targets end with a USER of their own; Keycloak's image has one.
    targets = re.findall(r"^USER (\w+)$", dockerfile(), re.MULTILINE)
    assert targets == ["proxy", "zsk"]
    assert "build" in found or found.get("user", "root") != "root" or service == "keycloak"


@pytest.mark.parametrize("service", sorted(services()))
def test_secrets_come_by_file(service: str) -> None:
    for name, value in services()[service].get("environment", {}).items():
        assert "PASSWORD" not in name or name.endswith("_FILE"), value


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = tmp_path / "secrets.sh"
    script.write_bytes((ROOT / "deploy" / "secrets.sh").read_bytes())
    subprocess.run(["sh", str(script)], check=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(compose()["secrets"])
    assert made["postgres_password"] in made["database_url"]
    subprocess.run(["sh", str(script)], check=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made


def test_every_mounted_file_exists() -> None:
    sources = [
        volume.split(":")[0] for service in services().values() for volume in service.get("volumes", [])
    ]
    files = [source for source in sources if source.startswith("./")]
    assert files
    assert all((ROOT / file).is_file() for file in files)
