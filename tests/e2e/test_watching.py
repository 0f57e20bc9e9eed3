"""Prometheus, the real one, watches the real services; rules and dashboard ask for nothing that there is not."""

import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

from latentwalk.cli.demo.processes import free_address
from latentwalk.client import Client

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
ALERTS = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((DEPLOY / "grafana/latentwalk.json").read_text())
PROMETHEUS_OWN = {"up"}
"""What Prometheus says itself of what it scrapes."""

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")),
    reason="prometheus and promtool are not installed (Debian package prometheus)",
)


def alert_expressions():
    return [rule["expr"] for rule in ALERTS]


def panel_expressions():
    """What the panels ask for, by title, with Grafana's variables as a person would set them."""
    shown = {"$__rate_interval": "1m", "$instance": ".*", "$model": ".*"}
    expressions = {}
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for variable, value in shown.items():
                expression = expression.replace(variable, value)
            expressions.setdefault(panel["title"], []).append(expression)
    return expressions


def metric_names(expression):
    """The metrics that a PromQL expression names: identifiers that are no functions, labels or keywords."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]', "", expression)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    return set(re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)) - {"and", "or", "unless", "bool"}


def fetched(address, path, **parameters):
    with urllib.request.urlopen(f"http://{address}{path}?{urllib.parse.urlencode(parameters)}") as reply:
        return reply.read().decode()


@pytest.fixture(scope="module")
def exposed(services):
    """The names of all series that both services expose, also those that have no sample yet."""
    names = set()
    for address in (services.server_metrics, services.trainer_metrics):
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", fetched(address, "/metrics"), flags=re.MULTILINE):
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            names |= {name + suffix for suffix in suffixes if not name.endswith("_created")}
    return names


def test_metric_names_are_told_from_the_rest_of_promql():
    expression = (
        'histogram_quantile(0.9, sum by (le, kind) (rate(a_bucket{x="b_total"}[5m]))) > 2 and on (job) b:c unless up'
    )
    assert metric_names(expression) == {"a_bucket", "b:c", "up"}


def test_every_alert_and_every_panel_asks_for_metrics_that_there_are(exposed):
    asked = alert_expressions() + [one for many in panel_expressions().values() for one in many]
    assert len(asked) > 25
    unknown = {name for expression in asked for name in metric_names(expression)} - exposed - PROMETHEUS_OWN
    assert unknown == set()


def test_every_metric_of_ours_is_on_the_dashboard(exposed):
    ours = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exposed if name.startswith("latentwalk_")}
    asked = {name for many in panel_expressions().values() for one in many for name in metric_names(one)}
    assert ours - {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} == set()


@needs_prometheus
@pytest.mark.parametrize(
    "command", ["check config prometheus.yml", "check rules alerts.yml", "test rules alerts_test.yml"]
)
def test_promtool_finds_no_fault(command):
    done = subprocess.run(
        ["promtool", *command.split()], cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_says_what_to_do_and_is_tested(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() == {"summary", "action"}
    tests = yaml.safe_load((DEPLOY / "prometheus/alerts_test.yml").read_text())["tests"]
    expected = [case for test in tests for case in test["alert_rule_test"] if case["alertname"] == rule["alert"]]
    assert any(case["exp_alerts"] for case in expected)


@pytest.fixture
def prometheus(services, tmp_path):
    """The address of a Prometheus with our own configuration, but for the addresses, and impatient."""
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "250ms"}
    config["rule_files"] = [str(DEPLOY / "prometheus" / name) for name in config["rule_files"]]
    addresses = {"latentwalk-server": services.server_metrics, "latentwalk-trainer": services.trainer_metrics}
    for job in config["scrape_configs"]:
        job["static_configs"] = [{"targets": [addresses[job["job_name"]]]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = free_address()
    process = subprocess.Popen(
        [
            *("prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--web.listen-address={address}"),
            *(f"--storage.tsdb.path={tmp_path}/data", "--log.level=warn"),
        ]
    )
    try:
        eventually(lambda: fetched(address, "/-/ready"), "Prometheus is ready")
        yield address
    finally:
        process.terminate()
        process.wait(120)


def eventually(ask, what, seconds=240):
    """The first answer of `ask` that is not empty; a server that is not there yet gives none."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        try:
            if answer := ask():
                return answer
        except urllib.error.URLError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def result_of(address, query):
    return json.loads(fetched(address, "/api/v1/query", query=query))["data"]["result"]


SHOWN = (
    "Pictures per second",
    "First frame",
    "Between frames",
    "Waiting",
    "Batch size",
    "Seconds of a batch",
    "Busy",
    "Reuse",
    "Models",
    "Engine variants",
    "Calls by status",
    "Seconds of a call, p99",
    "Memory",
    "Jobs",
)
"""The panels that show something whenever both services work."""


FRESH = itertools.count()


def draw_some(client):
    """One call of each kind, of pictures not drawn before, so that counters grow from scrape to scrape."""
    seeds = [next(FRESH), next(FRESH)]
    client.generate("faces", seeds=seeds)
    assert len(list(client.interpolate("faces", seeds=seeds, frames_per_leg=4))) > 1


@needs_prometheus
def test_prometheus_scrapes_what_the_alerts_and_the_dashboard_show(services, prometheus):
    eventually(lambda: len(result_of(prometheus, "up == 1")) == 2, "both services are scraped")
    with Client(services.server) as client:

        def is_shown(query):
            draw_some(client)
            # Not a number, where the quantile of no samples is asked for: the kinds that others have drawn before.
            return any(float(series["value"][1]) >= 0 for series in result_of(prometheus, query))

        for title in SHOWN:
            for query in panel_expressions()[title]:
                eventually(lambda query=query: is_shown(query), f"panel {title!r} shows {query}")
    frames = result_of(prometheus, 'sum by (kind) (latentwalk_frames_total{model="faces"})')
    assert {series["metric"]["kind"] for series in frames} >= {"generate", "interpolate"}
    assert all(float(series["value"][1]) > 0 for series in frames)

    queries = alert_expressions() + [one for many in panel_expressions().values() for one in many]
    for query in queries:
        assert json.loads(fetched(prometheus, "/api/v1/query", query=query))["status"] == "success"
    groups = json.loads(fetched(prometheus, "/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert {rule["name"] for rule in rules if rule["state"] != "inactive"} == set()
