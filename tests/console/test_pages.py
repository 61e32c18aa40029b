"""Each page and each action of the console, in a browser, on a server with executions of all kinds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console import shop
from console.addresses import execution, map_run, start
from console.browser import Watched, needs_chromium
from server.support import ROLE, Served
from stepwell.engine.host.cluster_state import (
    ClusterState,
    CopyState,
    NodeState,
    PartitionState,
    ReplicaState,
    StreamState,
)

expect = needs_chromium().expect
HERE = Path(__file__).parent


# executions


def test_executions_are_counted_filtered_and_paged_and_the_address_has_the_filters(at: Watched) -> None:
    page = at.open("/executions")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_role("button", name=re.compile("Failed")).click()
    expect(page).to_have_url(re.compile("status=FAILED"))
    expect(page.locator("tbody .status:not(.is-FAILED)")).to_have_count(0)
    page.get_by_label("Workflow").select_option("import-catalogue")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.reload()
    expect(page.locator("tbody a[data-row]")).to_have_text(["catalogue"])
    page = at.open("/executions?workflow=order")
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_role("button", name="Newest")).to_be_visible()
    expect(page.locator("tbody tr")).not_to_have_count(50)


def test_an_execution_is_searched_and_opened_with_the_keyboard(at: Watched) -> None:
    page = at.open("/executions")
    expect(page.locator("tbody tr")).to_have_count(50)
    page.keyboard.press("/")
    page.keyboard.type("order-00000")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(10)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("tbody a[data-row]").first).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(re.compile(r"order-00000\d"))
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.locator("h1")).to_have_text("Executions")


def test_several_are_stopped_redriven_and_deleted_together_and_the_list_is_live(at: Watched, served: Served) -> None:
    page = at.open("/executions?workflow=approve-discount")
    expect(page.locator("tbody tr")).to_have_count(1)
    for name in ("many-1", "many-2"):
        start(served, "approve-discount", name, {"order": 1})
    expect(page.locator("tbody tr")).to_have_count(3)
    for verb, button, status in (("Stop", "Stop 2", "ABORTED"), ("Redrive", "Redrive 2", "RUNNING")):
        for name in ("many-1", "many-2"):
            page.get_by_label(f"Select {name}").check()
        page.get_by_role("button", name=verb, exact=True).click()
        page.get_by_role("button", name=button).click()
        expect(page.locator(f"tbody .status.is-{status}")).to_have_count(2 if status == "ABORTED" else 3)
    for name in ("many-1", "many-2"):
        served.client.stop_execution(executionArn=shop.execution_arn("approve-discount", name))
    expect(page.locator("tbody .status.is-ABORTED")).to_have_count(2)
    page.get_by_label("Select many-1").check()
    page.get_by_label("Select many-2").check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 2").click()
    expect(page.locator("tbody tr")).to_have_count(1)


# one execution


def test_the_graph_shows_what_happened_and_a_state_its_attempts_and_data(at: Watched) -> None:
    page = at.open(execution("order", "flaky"))
    page.get_by_role("button", name=re.compile("^Charge card.*Succeeded.*↻2")).click()
    side = page.get_by_label("State Charge card")
    expect(side.locator(".attempts li")).to_have_count(3)
    expect(side.locator(".attempts")).to_contain_text("GatewayTimeout")
    expect(side.get_by_label("Output").first).to_contain_text("receipt")
    page.get_by_role("button", name=re.compile("^Reserve stock")).click()
    expect(page.get_by_label("State Reserve stock").get_by_label("Variables assigned").first).to_contain_text("R-88888")
    page = at.open(execution("order", "declined"))
    expect(page.get_by_role("button", name=re.compile("^Charge card.*Failed"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Pay and check.*Caught error"))).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Inspect by hand.*not reached"))).to_be_visible()


def test_iterations_of_a_map_are_paged_and_looked_at_one_by_one(at: Watched) -> None:
    page = at.open(execution("order", "packing", "?state=Pack%20each%20parcel"))
    side = page.get_by_label("State Pack each parcel")
    expect(side.locator(".iterations li")).to_have_count(20)
    side.get_by_role("button", name="Next").click()
    expect(side.locator(".iterations li")).to_have_count(10)
    expect(page.get_by_role("button", name=re.compile("^Pack Task.*×30"))).to_be_visible()
    side.get_by_role("button", name=re.compile("^#25")).click()
    expect(page.get_by_role("button", name=re.compile(r"^Pack Task · pack\s+Succeeded\s*$"))).to_be_visible()


def test_timeline_events_data_and_definition(at: Watched) -> None:
    page = at.open(execution("order", "flaky"))
    page.get_by_role("tab", name="Timeline").click()
    row = page.locator(".time-row", has_text="Charge card")
    expect(row.locator(".attempt")).to_have_count(3)
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("tab", name="Events").click()
    page.get_by_label("Type").select_option("LambdaFunctionFailed")
    expect(page.locator(".event-row")).to_have_count(2)
    page.locator(".event-row").first.click()
    side = page.locator("aside")
    expect(side).to_contain_text("no answer within 5 s")
    side.locator("button.link").first.click()
    expect(page.locator("aside h2")).to_have_text("LambdaFunctionStarted")
    page.get_by_role("tab", name="Data").click()
    page.get_by_label("Find in Output").fill("tracking")
    expect(page.locator(".is-found")).to_have_count(1)
    expect(page.get_by_label("Input").first).to_contain_text("customer-36")
    page.get_by_role("tab", name="Definition").click()
    expect(page.locator(".line", has_text='"StartAt": "Reserve stock"')).to_be_visible()


def test_parent_and_children_are_linked(at: Watched) -> None:
    page = at.open(execution("batch-order", "monday"))
    page.locator(".facts").get_by_role("link", name="order / order-from-batch").click()
    expect(page.locator("h1")).to_contain_text("order-from-batch")
    page.locator(".facts").get_by_role("link", name="batch-order / monday").click()
    expect(page.locator("h1")).to_contain_text("monday")


def test_a_waiting_task_is_answered_and_the_page_sees_the_end(at: Watched, served: Served) -> None:
    start(served, "approve-discount", "to-answer", {"order": 7})
    page = at.open(execution("approve-discount", "to-answer"))
    page.get_by_role("button", name="Answer task").click()
    page.get_by_label("Output").fill("{")
    expect(page.get_by_role("button", name="Send success")).to_be_disabled()
    page.get_by_label("Output").fill('{"granted": true}')
    page.get_by_role("button", name="Send success").click()
    expect(page.locator("h1 .status")).to_contain_text("Succeeded")
    start(served, "approve-discount", "to-refuse", {"order": 8})
    page = at.open(execution("approve-discount", "to-refuse"))
    page.get_by_role("button", name="Answer task").click()
    page.get_by_label("Failure").check()
    page.get_by_label("Cause").fill("too much")
    page.get_by_role("button", name="Send failure").click()
    expect(page.locator(".failure").first).to_contain_text("too much")


def test_an_execution_is_stopped_started_again_copied_and_deleted(at: Watched, served: Served) -> None:
    start(served, "approve-discount", "to-stop", {"order": 9})
    page = at.open(execution("approve-discount", "to-stop"))
    page.get_by_role("button", name="Stop").click()
    page.get_by_label("Error (optional)").fill("Mistake")
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.locator("h1 .status")).to_contain_text("Aborted")
    page.get_by_role("button", name="Copy as call").click()
    expect(page.locator("pre.call").first).to_contain_text("aws stepfunctions start-execution")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Redrive").click()
    page.get_by_role("dialog").get_by_role("button", name="Redrive").click()
    expect(page.locator("h1 .status")).to_contain_text("Running")
    page.get_by_role("button", name="Start again").click()
    page.get_by_label("Name (optional)").fill("started-again")
    page.get_by_label("Input").fill('{"order": 10}')
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.locator("h1")).to_contain_text("started-again")
    served.client.stop_execution(executionArn=shop.execution_arn("approve-discount", "started-again"))
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("h1")).to_have_text("Executions")


# workflows, map runs, what waits


def test_the_revisions_of_a_workflow_and_what_each_changed(at: Watched, served: Served) -> None:
    sfn = served.client
    states = {"A": {"Type": "Pass", "Result": 12345678901234567890, "Next": "B"}, "B": {"Type": "Wait", "Seconds": 1.0}}
    states["B"]["End"] = True
    first = json.dumps({"StartAt": "A", "States": states})
    arn = sfn.create_state_machine(name="revised", definition=first, roleArn=ROLE)["stateMachineArn"]
    sfn.update_state_machine(stateMachineArn=arn, definition=first.replace('"Seconds": 1.0', '"Seconds": 7'))
    page = at.open("/workflows/revised")
    expect(page.locator(".graph")).to_contain_text("Wait · 7 s")
    page.get_by_role("button", name=re.compile("^A Pass")).click()
    expect(page.locator("aside")).to_contain_text("12345678901234567890")
    page.get_by_role("link", name="Try this state").click()
    expect(page.get_by_label("Definition of the state")).to_have_value(re.compile("12345678901234567890"))
    page.go_back()
    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Changes").first.click()
    expect(page.locator(".is-added")).to_have_text(re.compile(r'\+\s+"Seconds": 7'))
    expect(page.locator(".is-removed")).to_have_text(re.compile(r'-\s+"Seconds": 1'))
    sfn.update_state_machine(stateMachineArn=arn, definition=first, publish=True)
    expect(page.locator("tbody tr").first).to_contain_text("version 1")
    page.get_by_label("Compared with revision").fill("3")
    page.get_by_label("Compared with revision").blur()
    expect(page.locator(".is-removed")).to_have_text(re.compile(r'-\s+"Seconds": 1'))


def test_workflows_one_of_them_and_its_start_form(at: Watched) -> None:
    page = at.open("/workflows")
    page.get_by_role("link", name="order", exact=True).click()
    expect(page.get_by_role("button", name=re.compile("^Reserve stock"))).to_be_visible()
    page.get_by_role("tab", name="Definition").click()
    line = page.locator(".line", has_text='"Resource": "reserve"')
    expect(line.locator(".diagnostic")).to_contain_text("local handler")
    page.get_by_role("tab", name="Versions").click()
    expect(page.locator("#panel")).to_contain_text("version 1: 100 %")
    page.get_by_role("tab", name="Executions").click()
    expect(page.locator("tbody tr").first).to_be_visible()
    page.get_by_role("tab", name="Start").click()
    page.get_by_label("Input", exact=True).fill("{no")
    expect(page.get_by_role("button", name="Start execution")).to_be_disabled()
    page.get_by_label("Last inputs").select_option(index=1)
    page.get_by_role("button", name="Start execution").click()
    expect(page.get_by_role("tab", name="Timeline")).to_be_visible()


def test_a_map_run_shows_failed_children_first_and_they_open(at: Watched, served: Served) -> None:
    page = at.open(map_run(served, "import-catalogue", "catalogue"))
    expect(page.locator("tbody .status").first).to_contain_text("Failed")
    page.get_by_role("button", name=re.compile("Succeeded")).click()
    expect(page.locator("tbody .status:not(.is-SUCCEEDED)")).to_have_count(0)
    page.get_by_role("button", name=re.compile("Failed")).click()
    page.locator("tbody a").first.click()
    expect(page.locator(".failure").first).to_contain_text("has no price")
    page.locator(".facts").get_by_role("link", name="import-catalogue / catalogue").click()
    page.get_by_role("button", name=re.compile("^Import each row.*Failed")).press("Enter")
    expect(page.locator("aside .failure")).to_contain_text("States.ExceedToleratedFailureThreshold")
    page.go_back()
    expect(page.get_by_role("button", name=re.compile("^Import row.*Failed"))).to_be_visible()


def test_the_limits_of_a_map_run_that_runs_are_changed(at: Watched, served: Served) -> None:
    page = at.open(map_run(served, "slow-import", "slow-import"))
    page.get_by_role("button", name="Change limits").click()
    page.get_by_label("Concurrency").fill("3")
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator(".facts", has_text="Concurrency")).to_contain_text("3")
    expect(page.locator(".legend").first).to_contain_text(re.compile("Running.*3"))


def test_waiting_tasks_retries_and_activities(at: Watched, served: Served) -> None:
    start(served, "approve-discount", "listed", {"order": 11})
    page = at.open("/waiting?resource=arn:aws:states:::lambda:invoke.waitForTaskToken")
    row = page.locator("tr", has=page.get_by_role("link", name="listed"))
    row.get_by_role("button", name="Answer").click()
    page.get_by_role("button", name="Send success").click()
    expect(row).to_have_count(0)
    page.get_by_role("tab", name="Retries").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    expect(page.locator("tbody tr").first).to_contain_text("LedgerClosed")
    page.get_by_role("tab", name="Activities").click()
    expect(page.locator("tbody tr")).to_contain_text(["photograph"])


def test_a_state_is_tried(at: Watched) -> None:
    page = at.open("/try")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_label("Output").first).to_contain_text("12")
    page.get_by_label("From a workflow").select_option("order")
    page.get_by_label("State", exact=True).select_option("Charge card")
    page.get_by_label("Mock an error").check()
    page.get_by_label("Error", exact=True).fill("GatewayTimeout")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator(".failure")).to_contain_text("GatewayTimeout")


def test_the_system_says_how_it_is(at: Watched) -> None:
    page = at.open("/system")
    expect(page.locator("h1")).to_contain_text("Healthy")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".limits")).to_contain_text("inbox bytes")


def test_the_system_of_a_node_shows_its_cluster(at: Watched) -> None:
    replicas = [ReplicaState("s2", True, False, 0), ReplicaState("s3", False, True, 7)]
    cluster = ClusterState(
        "orders",
        "id",
        "n1",
        [NodeState("n1", True, "http://a:8083", "1.0", [0]), NodeState("n2", False, "", "1.1", [1])],
        [
            PartitionState(0, "n1", 3, "n1", {"n1": 90, "n2": 70}, {}, StreamState("s1", replicas, 12, 4096)),
            PartitionState(
                1, None, None, None, {"n1": 5}, {"n2": "upgrade this node"}, StreamState(problem="no quorum")
            ),
        ],
        [CopyState(0, "leading", 3, 90), CopyState(1, "following", 1, 5, lag=4)],
    )

    def answer(route: Any) -> None:
        found = route.fetch()
        route.fulfill(response=found, json={**found.json(), "cluster": msgspec.to_builtins(cluster)})

    at.page.route("**/stepwell/system", answer)
    page = at.open("/system")
    nodes = page.get_by_role("group", name="Nodes").locator("tbody tr")
    expect(nodes).to_have_count(2)
    expect(nodes.nth(0)).to_contain_text("n1 this onealive1.0http://a:80830")
    expect(nodes.nth(1)).to_contain_text("not heard of")
    partitions = page.get_by_role("group", name="Partitions of the cluster").locator("tbody tr")
    for text in ("pinned to n1", "n2 70 20 behind", "leading", "s1 leads, 4", "s2 current", "s3 offline"):
        expect(partitions.nth(0)).to_contain_text(text)
    for text in ("nobody", "n2 none upgrade this node", "following 4 messages behind", "no quorum"):
        expect(partitions.nth(1)).to_contain_text(text)


# safety, access, sizes


def every_page(served: Served) -> list[str]:
    one = execution("order", "flaky")
    return [
        "/executions",
        "/executions?prefix=nobody",
        f"{one}?state=Charge%20card",
        *(f"{one}?tab={tab}" for tab in ("timeline", "events&event=5", "data", "definition")),
        execution("order", "declined"),
        execution("approve-discount", "approval"),
        "/workflows",
        *(
            f"/workflows/order?tab={tab}"
            for tab in ("graph", "definition", "executions", "versions&revision=1", "start")
        ),
        map_run(served, "import-catalogue", "catalogue"),
        *(f"/waiting?tab={tab}" for tab in ("tasks", "retries", "activities")),
        "/try",
        "/system",
        "/nowhere",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_finding_of_axe_nor_is_it_wider_than_a_phone(
    browser: Any, served: Served, scheme: str
) -> None:
    watched = Watched(browser, served.url, color_scheme=scheme, viewport={"width": 390, "height": 844})
    script = (HERE / "vendor" / "axe.min.js").read_text()
    found: list[str] = []
    for path in every_page(served):
        page = watched.open(path)
        expect(page.locator("[aria-busy]")).to_have_count(0)
        page.evaluate(script)
        rules = "" if scheme == "light" else ", runOnly: ['color-contrast']"  # all else is the same in both
        results = page.evaluate(f"axe.run(document, {{resultTypes: ['violations']{rules}}})")
        found += [
            f"{path}: {each['id']} {each['nodes'][0]['html'][:120]} {each['nodes'][0]['failureSummary'][:200]}"
            for each in results["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        hidden = page.evaluate(
            """[...document.querySelectorAll(".bar a, .bar button, .tabs button, .list td, .list th")]
                .filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.textContent)"""
        )
        found += [f"{path}: {text!r} is cut off" for text in hidden]
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider > 0:
            found.append(f"{path} is {wider} pixels wider than the screen")
    watched.context.close()
    assert "\n".join(found) == ""
    assert watched.wrong == []
