"""The report in a real browser without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --hide-scrollbars"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="chromium and chromedriver not found"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM or ""
    for flag in [*FLAGS.split(), f"--user-data-dir={tmp_path_factory.mktemp('profile')}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield driver
    driver.quit()


def look(browser, report, *, scheme="light", width=1200):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get((report.folder / "report.html").as_uri())


def test_loads_without_errors_or_requests(browser, report):
    look(browser, report)
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.title == "digits – prunesweep"
    widths = browser.execute_script(
        "return [...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width)"
    )
    assert len(widths) == 3
    assert min(widths) > 900


@pytest.mark.parametrize("width", [400, 1200])
def test_page_never_scrolls_sideways(browser, report, width):
    look(browser, report, width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [400, 1200])
def test_a_report_of_all_parts_never_scrolls_sideways(browser, drawn_report, width):
    look(browser, drawn_report, width=width)
    assert browser.get_log("browser") == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_dark_and_light_take_their_colours(browser, report):
    found = {}
    for scheme in ("light", "dark"):
        look(browser, report, scheme=scheme)
        found[scheme] = browser.execute_script(
            "const paper = getComputedStyle(document.body).backgroundColor;"
            "const ink = getComputedStyle(document.querySelector('svg')).color;"
            "const line = document.querySelector('svg [style*=\"--series-0\"]');"
            "return [paper, ink, getComputedStyle(line).stroke]"
        )
    assert found == {
        "light": ["rgb(255, 255, 255)", "rgb(28, 31, 36)", "rgb(0, 114, 178)"],
        "dark": ["rgb(20, 23, 27)", "rgb(228, 231, 235)", "rgb(63, 155, 220)"],
    }
