"""Compose and the manifests for Kubernetes run the same containers, as closed as they can be."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from redis.exceptions import AuthenticationError

from tests.servers import free_port, wait_until_listening
from tests.tools import tool
from web.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SECRET = "observability"

by_service = pytest.mark.parametrize("name", list(SERVICES))


def manifests() -> list[dict[str, Any]]:
    folder = ROOT / "deploy"
    files = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [document for file in files for document in yaml.safe_load_all((folder / file).read_text())]


MANIFESTS = manifests()


def manifest(kind: str, name: str) -> dict[str, Any]:
    [found] = [each for each in MANIFESTS if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pod(name: str) -> dict[str, Any]:
    [workload] = [each for each in MANIFESTS if each["metadata"]["name"] == name and "template" in each.get("spec", {})]
    assert workload["spec"]["selector"]["matchLabels"] == workload["spec"]["template"]["metadata"]["labels"]
    found: dict[str, Any] = workload["spec"]["template"]["spec"]
    return found


def container(name: str) -> dict[str, Any]:
    [found] = pod(name)["containers"]
    return dict(found)


def kubernetes_size(size: str) -> str:
    return size.replace("g", "Gi").replace("m", "Mi")


def plain(value: object) -> object:
    """Returns a command as the container gets it: compose writes $$ for $."""
    return [str(word).replace("$$", "$") for word in value] if isinstance(value, list) else value


class TestCompose:
    @by_service
    def test_a_container_has_no_capability_and_a_file_system_to_read(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["mem_limit"]
        assert "privileged" not in service

    @by_service
    def test_an_image_is_an_exact_version(self, name: str) -> None:
        assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?", SERVICES[name]["image"])

    def test_our_image_has_the_version_of_the_product(self) -> None:
        assert SERVICES["web"]["image"].endswith(f":{VERSION}")

    def test_only_the_proxy_is_reached_from_outside_and_only_the_worker_reaches_out(self) -> None:
        assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
        assert {network for network, options in COMPOSE["networks"].items() if not (options or {}).get("internal")} == {
            "internet"
        }
        on_it = {name for name, service in SERVICES.items() if "internet" in service["networks"]}
        assert on_it == {"proxy", "worker"}
        assert "data" not in SERVICES["proxy"]["networks"]


class TestKubernetes:
    def test_it_has_the_same_services(self) -> None:
        assert {each["metadata"]["name"] for each in MANIFESTS if each["kind"] in ("Deployment", "StatefulSet")} == set(
            SERVICES
        )

    @by_service
    def test_a_container_is_that_of_compose(self, name: str) -> None:
        found = container(name)
        assert found["image"] == SERVICES[name]["image"]
        assert found["resources"]["limits"]["memory"] == kubernetes_size(SERVICES[name]["mem_limit"])
        assert plain(found.get("command")) == plain(SERVICES[name].get("command"))

    @by_service
    def test_a_container_is_as_closed_as_that_of_compose(self, name: str) -> None:
        found, service = container(name), SERVICES[name]
        capabilities = {"drop": service["cap_drop"]} | ({"add": service["cap_add"]} if "cap_add" in service else {})
        assert found["securityContext"] == {
            "readOnlyRootFilesystem": service["read_only"],
            "allowPrivilegeEscalation": False,
            "capabilities": capabilities,
        }
        context = pod(name)["securityContext"]
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod(name)["automountServiceAccountToken"] is False
        if name != "proxy":
            user = service.get("user") or re.findall(r"^USER (.*)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
            assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
            assert context["runAsNonRoot"] is True

    @by_service
    def test_a_container_writes_where_that_of_compose_does(self, name: str) -> None:
        service = SERVICES[name]
        volumes = [volume.split(":")[1] for volume in service.get("volumes", [])]
        written = {*service.get("tmpfs", []), *volumes}
        mounts = {mount["mountPath"] for mount in container(name).get("volumeMounts", [])}
        # Docker gives every container a /dev/shm; Caddy's file is a folder of one file here.
        assert mounts - {"/dev/shm"} == {path.removesuffix("/Caddyfile") for path in written}  # noqa: S108

    @by_service
    def test_a_container_has_the_variables_of_compose(self, name: str) -> None:
        environment = {each["name"]: each for each in container(name).get("env", [])}
        for variable, value in SERVICES[name].get("environment", {}).items():
            needed = re.match(r"\$\{(\w+)", value or "")
            if name in ("web", "worker") and (value is None or needed):
                assert variable not in environment, "it comes with the whole secret"
            elif needed:
                assert environment[variable]["valueFrom"] == {"secretKeyRef": {"name": SECRET, "key": needed[1]}}
            else:
                assert environment[variable]["value"] == value

    @pytest.mark.parametrize("name", ["web", "worker"])
    def test_the_product_gets_every_variable_but_keeps_those_of_the_image(self, name: str) -> None:
        assert SERVICES[name]["environment"] == SERVICES["web"]["environment"]
        found = container(name)
        assert found["envFrom"] == [{"secretRef": {"name": SECRET}}]
        set_here = {each["name"]: each["value"] for each in found["env"]}
        image = (ROOT / "Dockerfile").read_text()
        for variable in ("ENVIRONMENT", "BIND", "STATIC_ROOT"):
            assert f"{variable}={set_here[variable]}" in image

    @pytest.mark.parametrize("name", ["metadata", "analytics"])
    def test_a_database_is_checked_and_has_as_much_shared_memory_as_in_compose(self, name: str) -> None:
        check = container(name)["readinessProbe"]["exec"]["command"]
        assert ["CMD", *check] == SERVICES[name]["healthcheck"]["test"]
        sizes = {volume["name"]: volume["emptyDir"]["sizeLimit"] for volume in pod(name)["volumes"]}
        assert sizes["shm"] == kubernetes_size(SERVICES[name]["shm_size"])

    def test_redis_is_checked_as_in_compose(self) -> None:
        [check] = plain(SERVICES["redis"]["healthcheck"]["test"][1:])  # type: ignore[misc]
        assert container("redis")["readinessProbe"]["exec"]["command"] == ["sh", "-c", check]

    def test_the_web_server_is_checked_as_in_the_image(self) -> None:
        check = container("web")["livenessProbe"]["exec"]["command"]
        assert check == container("web")["startupProbe"]["exec"]["command"]
        assert check[-1] in (ROOT / "Dockerfile").read_text()

    def test_only_the_product_reaches_the_data_and_only_the_proxy_reaches_it(self) -> None:
        data, web = manifest("NetworkPolicy", "data")["spec"], manifest("NetworkPolicy", "web")["spec"]
        guarded = set(data["podSelector"]["matchExpressions"][0]["values"])
        assert guarded == {name for name, service in SERVICES.items() if service["networks"] == ["data"]}
        [[of_the_product]] = [each["podSelector"]["matchExpressions"] for each in data["ingress"][0]["from"]]
        assert of_the_product == {"key": "app", "operator": "In", "values": ["web", "worker"]}
        assert len(data["ingress"]) == 1
        assert web["ingress"] == [{"from": [{"podSelector": {"matchLabels": {"app": "proxy"}}}]}]
        types = {each["metadata"]["name"]: each["spec"].get("type") for each in MANIFESTS if each["kind"] == "Service"}
        assert types == {name: "LoadBalancer" if name == "proxy" else None for name in SERVICES if name != "worker"}

    def test_nobody_reaches_the_worker(self) -> None:
        policy = manifest("NetworkPolicy", "worker")["spec"]
        assert policy["policyTypes"] == ["Ingress"]
        assert "ingress" not in policy


@contextmanager
def redis_of_compose(folder: Path, password: str) -> Iterator[int]:
    """Runs the command of compose, on this machine's Redis."""
    tool("redis-server")
    port = free_port()
    [shell, option, script] = plain(SERVICES["redis"]["command"])  # type: ignore[misc]
    command = [shell, option, f"{script} --port {port} --bind 127.0.0.1"]
    environment = os.environ | {"REDIS_PASSWORD": password}
    server = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        wait_until_listening(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def test_redis_of_compose_wants_its_password_whatever_is_in_it_and_shows_it_nowhere(tmp_path: Path) -> None:
    password = """--a/b?c%41@d#e f'g"h\\i$HOME`id`"""
    check = str(SERVICES["redis"]["healthcheck"]["test"][1]).replace("$$", "$")
    with redis_of_compose(tmp_path, password) as port:
        with Redis(port=port, password=password) as client:
            assert client.ping()
        with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
        check = check.replace("redis-cli", f"redis-cli -p {port}")
        codes = [
            subprocess.run(
                ["sh", "-c", check], env=os.environ | {"REDIS_PASSWORD": word}, check=False, capture_output=True
            )
            for word in (password, "wrong")
        ]
        assert [code.returncode for code in codes] == [0, 1]
        listed = subprocess.run(["ps", "-axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
        assert password not in listed
