"""Pages at their limits: hostile texts, large data, other zones, many tabs, a server that goes, a read-only key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import urllib3

from console import shop
from console.addresses import execution, start
from console.browser import Watched, needs_chromium
from server.support import Served, serving

expect = needs_chromium().expect


def test_numbers_stay_as_they_were_written(at: Watched, served: Served) -> None:
    given = '{"order":12345678901234567890,"price":1.10}'
    name = "exact"
    served.client.start_execution(stateMachineArn=shop.machine_arn("approve-discount"), name=name, input=given)
    page = at.open(execution("approve-discount", name, "?tab=data"))
    expect(page.get_by_label("Input").first).to_contain_text("12345678901234567890")
    expect(page.get_by_label("Input").first).to_contain_text("1.10")
    page.get_by_role("button", name="Start again").click()
    expect(page.locator("#again-input")).to_have_value(re.compile('"order": 12345678901234567890,'))


def test_an_address_that_names_nothing_says_so(at: Watched) -> None:
    page = at.open("/executions/%25zz")
    expect(page.get_by_role("alert")).to_contain_text("there is no execution")
    at.wrong.clear()  # the browser logs the answer 404


def test_25_000_events_are_drawn_as_far_as_they_are_seen(at: Watched) -> None:
    page = at.open(execution("long", "long", "?tab=events"))
    expect(page.get_by_text(re.compile(r"25,2\d\d of 25,2\d\d events$"))).to_be_visible()
    rows = page.locator(".rows")
    rows.evaluate("box => { box.scrollTop = box.scrollHeight; }")
    expect(page.locator(".event-row").last).to_contain_text("ExecutionSucceeded")
    assert page.locator(".event-row").count() < 100
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".time-row").first).to_be_visible()
    assert page.locator(".time-row").count() < 100


def test_what_was_deleted_or_no_longer_answers_is_not_shown_as_if_it_were_there(at: Watched, served: Served) -> None:
    start(served, "approve-discount", "to-vanish", {"order": 9})
    arn = shop.execution_arn("approve-discount", "to-vanish")
    served.client.stop_execution(executionArn=arn)
    page = at.open(execution("approve-discount", "to-vanish"))
    expect(page.locator("h1 .status")).to_contain_text("Aborted")
    expect(page.locator(".live")).to_have_text("Live")
    assert urllib3.request("DELETE", f"{served.url}/stepwell/executions/{quote(arn, safe='')}").status == 200
    expect(page.get_by_role("alert")).to_contain_text("no execution")
    pages = [at.context.new_page() for _ in range(3)]
    for page, path in zip(pages, ("/system", "/waiting", "/workflows/order"), strict=True):
        page.goto(f"/console{path}")
        expect(page.locator("h1")).to_be_visible()
    at.context.set_offline(True)
    for page in pages:
        expect(page.get_by_role("alert")).to_contain_text("does not answer")
    at.context.set_offline(False)
    for page in pages:
        expect(page.get_by_role("alert")).to_have_count(0)
    at.wrong.clear()  # what was asked meanwhile


def test_many_pages_are_open_and_those_that_nobody_sees_have_no_stream(at: Watched, served: Served) -> None:
    page = at.open("/executions?workflow=approve-discount")
    expect(page.locator(".live")).to_have_text("Live")
    others = [at.context.new_page() for _ in range(8)]  # a browser opens six connections to a server
    for other in others:
        other.goto("/console/executions?workflow=approve-discount")
        expect(other.locator("tbody tr").first).to_be_visible()
    seen = "isHidden => { Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true });"
    seen += " document.dispatchEvent(new Event('visibilitychange')); }"
    with page.expect_event("requestfailed", lambda request: "/stepwell/live" in request.url):
        page.evaluate(seen, True)
    start(served, "approve-discount", "unseen", {"order": 1})
    expect(others[-1].get_by_role("link", name="unseen")).to_be_visible()
    page.evaluate(seen, False)
    expect(page.get_by_role("link", name="unseen")).to_be_visible()
    served.client.stop_execution(executionArn=shop.execution_arn("approve-discount", "unseen"))


def test_times_of_filters_are_those_that_are_shown(browser: Any, served: Served) -> None:
    watched = Watched(browser, served.url, timezone_id="America/New_York")
    page = watched.open("/executions?since=custom")
    page.get_by_label("Started after").fill("2026-07-01T12:00")
    page.get_by_label("Started after").blur()
    expect(page).to_have_url(re.compile("after=2026-07-01T16%3A00Z"))
    page.get_by_title("Times: local or UTC").click()
    expect(page.get_by_label("Started after")).to_have_value("2026-07-01T16:00")
    page.goto("/console/executions?after=2026-03-08T06:30Z&since=custom")  # an hour before clocks go forward
    page.get_by_title("Times: local or UTC").click()
    expect(page.get_by_label("Started after")).to_have_value("2026-03-08T01:30")
    watched.context.close()
    assert watched.wrong == []


def test_a_list_filtered_by_the_last_hour_goes_on_when_time_has_passed(at: Watched) -> None:
    page = at.open("/executions?since=3600&workflow=order")
    page.get_by_role("button", name="Older").click()
    expect(page.locator("tbody tr")).not_to_have_count(50)
    page.clock.install()
    page.clock.fast_forward(120_000)
    page.reload()
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    expect(page.locator("tbody tr").first).to_be_visible()


def test_what_is_found_in_a_long_list_is_shown(at: Watched, served: Served) -> None:
    given = {"order": 1, "items": [{"name": f"item-{number}"} for number in range(3000)]}
    start(served, "approve-discount", "long-input", given)
    page = at.open(execution("approve-discount", "long-input", "?tab=data"))
    page.get_by_label("Find in Input").fill("item-2987")
    expect(page.locator(".is-found")).to_have_count(1)
    expect(page.locator(".is-found")).to_contain_text("item-2987")
    served.client.stop_execution(executionArn=shop.execution_arn("approve-discount", "long-input"))


def test_characters_that_turn_texts_round_are_shown_as_such(at: Watched, served: Served) -> None:
    start(served, "approve-discount", "turned", {"order": "\u202egnp.exe"})
    served.client.stop_execution(
        executionArn=shop.execution_arn("approve-discount", "turned"), error="Virus", cause="in \u202egnp.exe"
    )
    page = at.open(execution("approve-discount", "turned", "?tab=data"))
    expect(page.locator(".failure").first).to_contain_text(r"in \u202egnp.exe")
    expect(page.get_by_label("Input").first).to_contain_text(r"\u202egnp.exe")


@pytest.mark.parametrize("tab", ["nothing", "constructor", "__proto__"])
def test_a_tab_that_there_is_not_is_the_first_one(at: Watched, tab: str) -> None:
    page = at.open(execution("order", "flaky", f"?tab={tab}"))
    expect(page.get_by_role("tab", name="Graph")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".node").first).to_be_visible()


@pytest.mark.parametrize("tab", ["graph", "timeline", "events&event=1", "data", "definition"])
def test_hostile_names_and_payloads_are_text(at: Watched, tab: str) -> None:
    page = at.open(execution("hostile", "hostile", f"?tab={tab}"))
    expect(page.locator(".failure").first).to_contain_text(shop.HOSTILE)
    expect(page.locator("img")).to_have_count(0)
    assert page.locator("script").count() == 1


def test_where_the_server_has_tokens_the_page_asks_for_one_and_a_read_only_one_acts_on_nothing(
    browser: Any, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("viewer 0123456789abcdef-read read-only\n")
    tokens.chmod(0o600)
    with serving("--auth-token-file", str(tokens)) as server:
        watched = Watched(browser, server.url)
        page = watched.open("/executions")
        page.get_by_label("Token").fill("0123456789abcdef-wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("does not know")
        page.get_by_label("Token").fill("0123456789abcdef-read")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Read-only")).to_be_visible()
        expect(page.get_by_text("No executions")).to_be_visible()
        page.goto("/console/try")
        expect(page.get_by_text("more than a read-only key")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        watched.context.close()
        assert watched.wrong == []
