from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO

import pytest
from mlflow import MlflowClient
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from orchestrator.execution.driver import drive
from orchestrator.sweep import open_sweep
from orchestrator.tracking import TrackingError, resolve_uri
from orchestrator.tracking.ui import command, directly, free_port, page, serve_ui


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_passed_over() -> None:
    with taken_port() as port:
        assert free_port("127.0.0.1", port) > port


def test_no_free_port_is_an_error() -> None:
    with taken_port() as port, pytest.raises(TrackingError, match=f"from port {port} on"):
        free_port("127.0.0.1", port, tries=1)


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(TrackingError, match=r"cannot listen on 192\.0\.2\.1"):
        free_port("192.0.2.1", 5000)


def test_a_tracking_server_is_shown_and_not_started() -> None:
    lines: list[str] = []
    with taken_port() as port:
        pass
    serve_ui(f"http://me:secret@127.0.0.1:{port}", say=lines.append)
    assert lines == [f"MLflow UI: http://127.0.0.1:{port}"]


def test_the_server_has_one_worker_and_no_shell() -> None:
    words = command("/a b/artifacts", "127.0.0.1", 5001)
    assert words[:4] == [sys.executable, "-m", "mlflow", "server"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options["--artifacts-destination"] == "/a b/artifacts"
    assert (options["--host"], options["--port"], options["--workers"]) == (
        "127.0.0.1",
        "5001",
        "1",
    )


def test_the_server_is_reached_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"experiment": {"experiment_id": "7"}}')

        def log_message(self, *_: object) -> None:
            return

    with taken_port() as dead, HTTPServer(("127.0.0.1", 0), Answer) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{dead}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        assert "/7/" in page(address, "tiny", directly)
        server.shutdown()


SERVE = """
import sys
from orchestrator.tracking.ui import serve_ui
serve_ui(sys.argv[1], experiment="tiny", port=int(sys.argv[2]))
"""


@contextmanager
def served(uri: str, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve the UI as a user does; yield the process and the address that it prints."""
    words = [sys.executable, "-u", "-c", SERVE, uri, str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, address_in(process.stdout)
        finally:
            process.send_signal(signal.SIGINT)


def address_in(output: IO[str]) -> str:
    for line in output:
        if line.startswith("MLflow UI: "):
            return line.split()[2]
    raise AssertionError("no address was printed")


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_the_ui_ends_cleanly_and_leaves_no_process(tmp_path: Path, signum: int) -> None:
    with (
        taken_port() as port,
        served(f"sqlite:///{tmp_path}/mlflow.db", port) as (process, address),
    ):
        assert not address.endswith(f":{port}")
        with urllib.request.urlopen(address) as page:
            assert b"MLflow" in page.read()
        process.send_signal(signum)
        assert process.wait(30) == 0
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(address)


@pytest.mark.slow
def test_a_database_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, and long enough to be read as one" * 10)
    with pytest.raises(TrackingError, match="file is not a database"):
        serve_ui(f"sqlite:///{tmp_path}/mlflow.db", port=18300)


@contextmanager
def browser(profile: Path) -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    for switch in (
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "window-size=1600,1200",
        f"user-data-dir={profile}",
    ):
        options.add_argument(f"--{switch}")
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs chromium and chromedriver")
def test_a_browser_shows_the_prune_curves_of_a_sweep(
    tiny: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    sweep = open_sweep(tiny(seeds=[0]))
    assert not drive(sweep, "local", None).outcome.failed
    uri = resolve_uri(None, sweep.spec)
    chains = {chain.name for chain in sweep.plan.chains}
    with served(uri, 18400) as (_, address), browser(tmp_path / "profile") as page:
        wait = WebDriverWait(page, 60)
        page.get(address)
        wait.until(lambda page: page.find_elements(By.LINK_TEXT, "tiny"))
        assert not chains & set(page.find_element(By.TAG_NAME, "body").text.splitlines())
        expander = "//a[normalize-space()='tiny']/ancestor::div[@role='gridcell']//button"
        wait.until(lambda page: page.find_elements(By.XPATH, expander))
        page.find_elements(By.XPATH, expander)[-1].click()
        wait.until(lambda page: all(page.find_elements(By.LINK_TEXT, name) for name in chains))
        wait.until(lambda page: len(page.find_elements(By.CSS_SELECTOR, "path.js-line")) >= 2)
        page.save_screenshot(str(tmp_path / "curves.png"))
        seen = page.find_element(By.TAG_NAME, "body").text
    for title in ("accuracy/nominal", "accuracy/digital/contrast-3", "Step"):
        assert title in seen


@pytest.mark.slow
def test_a_network_is_loaded_again_from_its_artifacts(
    tiny: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    sweep = open_sweep(tiny(seeds=[0], methods=["wt"]))
    assert not drive(sweep, "local", None).outcome.failed
    client = MlflowClient(resolve_uri(None, sweep.spec))
    experiment = client.get_experiment_by_name("tiny").experiment_id
    runs = {run.info.run_name: run.info.run_id for run in client.search_runs([experiment])}
    chain = sweep.plan.chains[-1]
    folder = Path(client.download_artifacts(runs[chain.name], "networks/0.6", str(tmp_path)))
    card = json.loads((folder / "network.json").read_text())
    assert card["key"] == chain.networks[-1]
    program = card["load"] + "; print(sum(int(p.count_nonzero()) for p in network.parameters()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == card["nonzero"]
