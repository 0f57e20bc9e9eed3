"""What is under deploy/ is true: as far as it can be said without a cluster."""

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer.settings import Settings as TrainerSettings

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.37"
SETTINGS = {"server": ServerSettings, "trainer": TrainerSettings}
SERVICES = {"server": "latentwalk.v1.GenerationService", "trainer": "latentwalk.v1.TrainingService"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def documents(path):
    return list(yaml.safe_load_all(path.read_text()))


MANIFESTS = [
    pytest.param(document, id=f"{path.stem}-{document['kind']}")
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    if path.stem != "kustomization"
    for document in documents(path)
]
WORKLOADS = [manifest for manifest in MANIFESTS if "template" in manifest.values[0].get("spec", {})]


def exposed_ports(name):
    """The ports of an image, and the stage of the Dockerfile that makes it."""
    (stage,) = re.findall(rf"^FROM base AS {name}\n(.*?)(?=^FROM|\Z)", DOCKERFILE, flags=re.DOTALL | re.MULTILINE)
    (ports,) = re.findall(r"^EXPOSE (.*)$", stage, flags=re.MULTILINE)
    return [int(port) for port in ports.split()], stage


def check_settings(name, names):
    known = {f"LATENTWALK_{field.name.upper()}" for field in fields(SETTINGS[name])}
    assert {one for one in names if one.startswith("LATENTWALK_")} - known == set()


# -- Kubernetes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_is_what_kubernetes_accepts(manifest):
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_manifest_is_applied():
    (kustomization,) = documents(DEPLOY / "kubernetes" / "kustomization.yaml")
    files = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
    assert {f"latentwalk-{name}" for name in SETTINGS} == {image["name"] for image in kustomization["images"]}


@pytest.mark.parametrize("manifest", WORKLOADS)
def test_a_workload_may_do_little_and_is_told_from_a_dead_one(manifest):
    pod, name = manifest["spec"]["template"]["spec"], manifest["metadata"]["name"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert f"USER {pod['securityContext']['runAsUser']}" in exposed_ports(name)[1]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}
    assert [port["containerPort"] for port in container["ports"]] == exposed_ports(name)[0]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["grpc"] == {"port": exposed_ports(name)[0][0], "service": SERVICES[name]}
    check_settings(name, {variable["name"] for variable in container["env"]})
    grace = {variable["name"]: variable["value"] for variable in container["env"]}.get("LATENTWALK_GRACE_SECONDS")
    assert pod["terminationGracePeriodSeconds"] > float(grace or SETTINGS[name]().grace_seconds)


@pytest.mark.parametrize("manifest", WORKLOADS)
def test_a_start_may_take_as_long_everywhere(manifest):
    """Else whoever depends on a service in Docker Compose gives it up while it is still warming its models."""
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    probe = container["startupProbe"]
    _, stage = exposed_ports(manifest["metadata"]["name"])
    assert f"--start-period={probe['periodSeconds'] * probe['failureThreshold']}s " in stage


@pytest.mark.parametrize("manifest", WORKLOADS)
def test_what_selects_a_workload_finds_it(manifest):
    labels = manifest["spec"]["template"]["metadata"]["labels"]
    selectors = [
        other["spec"]["selector"].get("matchLabels", other["spec"]["selector"])
        for other in (one.values[0] for one in MANIFESTS)
        if "selector" in other.get("spec", {}) and other["metadata"]["name"] == manifest["metadata"]["name"]
    ]
    assert len(selectors) >= 2
    assert all(selector.items() <= labels.items() for selector in selectors)
    volumes = {volume["name"] for volume in manifest["spec"]["template"]["spec"]["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", [])}
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_the_trainer_tells_every_server_of_what_it_publishes():
    """Behind an address of its own, a Service would let the trainer reach one of them."""
    services = {
        one["metadata"]["name"]: one
        for (one,) in (manifest.values for manifest in MANIFESTS)
        if one["kind"] == "Service"
    }
    (trainer,) = (one for (one,) in (manifest.values for manifest in WORKLOADS) if one["metadata"]["name"] == "trainer")
    (container,) = trainer["spec"]["template"]["spec"]["containers"]
    (address,) = (one["value"] for one in container["env"] if one["name"] == "LATENTWALK_SERVER_ADDRESS")
    name, _, port = address.rpartition(":")
    assert services[name]["spec"]["clusterIP"] == "None"
    assert int(port) in [one["port"] for one in services[name]["spec"]["ports"]]


# -- images ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SETTINGS)
def test_an_image_keeps_everything_in_its_volume(name):
    """Also the store: one that is not named begins with the built-in digits, so that there is something to draw."""
    settings = SETTINGS[name]()
    folders = [settings.engine_cache, "data/store"] if name == "server" else [settings.store, settings.folder]
    workdir = re.findall(r"^WORKDIR (.*)$", DOCKERFILE, flags=re.MULTILINE)[-1]
    assert {str(Path(workdir, folder).parent) for folder in folders} == {"/data"}
    assert "VOLUME /data" in DOCKERFILE
    assert "LATENTWALK_STORE" not in exposed_ports(name)[1]


@pytest.mark.parametrize(
    ("arguments", "environ", "told"),
    [
        ([], {}, "usage: healthcheck HOST:PORT SERVICE"),
        (["127.0.0.1:1", "any"], {}, "127.0.0.1:1: UNAVAILABLE: failed to connect"),
        (["127.0.0.1:1", "any"], {"LATENTWALK_TLS_ROOT": "nowhere.pem"}, "LATENTWALK_TLS_ROOT, _CERTIFICATE, _KEY: "),
    ],
)
def test_a_health_check_that_fails_says_why_in_one_line(arguments, environ, told):
    command = [sys.executable, DEPLOY / "healthcheck.py", *arguments]
    asked = subprocess.run(command, env={"PYTHONPATH": ":".join(sys.path), **environ}, capture_output=True, text=True)
    [line] = asked.stderr.splitlines()
    assert (asked.returncode, line[: len(told)]) == (1, told)


# -- Docker Compose ----------------------------------------------------------------------------------------------------


@pytest.fixture
def compose():
    (document,) = documents(DEPLOY / "compose.yaml")
    return document


@pytest.mark.parametrize("name", SETTINGS)
def test_compose_runs_our_images_with_settings_that_there_are(compose, name):
    service = compose["services"][name]
    assert service["build"]["target"] == name
    assert (DEPLOY / service["build"]["context"] / "Dockerfile").resolve() == ROOT / "Dockerfile"
    check_settings(name, service.get("environment", {}))
    assert service["ports"] == [f"127.0.0.1:{port}:{port}" for port in exposed_ports(name)[0][:1]]


def test_compose_mounts_what_exists_and_lets_nothing_out(compose):
    for service in compose["services"].values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for source in (volume.split(":")[0] for volume in service["volumes"]):
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose["volumes"]


def test_prometheus_scrapes_where_compose_serves_metrics(compose):
    (config,) = documents(DEPLOY / "prometheus" / "prometheus.yml")
    targets = [target for job in config["scrape_configs"] for one in job["static_configs"] for target in one["targets"]]
    assert targets == [f"{name}:{exposed_ports(name)[0][1]}" for name in SETTINGS]
    assert {target.split(":")[0] for target in targets} <= compose["services"].keys()


def test_grafana_finds_its_dashboard_and_prometheus(compose):
    (source,) = documents(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")[0]["datasources"]
    assert source["url"].removeprefix("http://").split(":")[0] in compose["services"]
    (provider,) = documents(DEPLOY / "grafana/provisioning/dashboards/latentwalk.yml")[0]["providers"]
    mounted = [volume.split(":")[1] for volume in compose["services"]["grafana"]["volumes"]]
    assert f"{provider['options']['path']}/latentwalk.json" in mounted


def test_no_panel_lies_upon_another():
    panels = json.loads((DEPLOY / "grafana/latentwalk.json").read_text())["panels"]
    cells = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + row)
        for panel in panels
        for column in range(panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
