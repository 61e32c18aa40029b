"""Typed handlers: inputs become what a handler is annotated with, and outputs become JSON."""

from __future__ import annotations

import enum
import functools
import logging
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, TypedDict, TypeVar

import msgspec
import pytest

from engine.support import catch, machine, passing, retry, task
from stepwell import ExecutionFailed, Executor, HandlerContext, InvalidInput

WORK = machine({"Work": task(resource="work")})
EXAMPLE = Path(__file__).parents[2] / "examples" / "typed_handlers.py"
T = TypeVar("T")


class Size(enum.Enum):
    SMALL = "small"


@dataclass
class Item:
    name: str
    price: float = 0.0


@dataclass
class Order:
    id: int
    due: date
    items: list[Item] = field(default_factory=list[Item])
    size: Size = Size.SMALL


class Receipt(msgspec.Struct):
    order: int
    total: Decimal


class Parcel(TypedDict):
    order: int
    weight: float


@dataclass
class Page(Generic[T]):
    items: list[T]


ORDER = {"id": 7, "due": "2026-12-01", "items": [{"name": "tea", "price": 2}], "size": "small"}


def run(handler: Any, input: Any, definition: Any = WORK) -> Any:
    """The output of one task."""
    with Executor(handlers={"work": handler}) as ex:
        ex.deploy("w", definition)
        execution = ex.start("w", input).wait(60)
        if execution.status != "Succeeded":
            context = execution.context()
            raise ExecutionFailed(execution.status, context.error, context.cause)
        return execution.output


def of_dataclass(order: Order) -> Any:
    assert order == Order(7, date(2026, 12, 1), [Item("tea", 2.0)])
    return order


def of_struct(receipt: Receipt) -> Any:
    assert receipt == Receipt(7, Decimal("2.50"))
    return receipt


def of_typed_dict(parcel: Parcel) -> Parcel:
    return {"order": parcel["order"] + 1, "weight": parcel["weight"]}


def of_list(orders: list[Order]) -> Any:
    return [order.id for order in orders]


def of_optional(order: Order | None) -> Any:
    return None if order is None else order.due


def of_generic(page: Page[Item]) -> Any:
    return page.items[0]


def of_annotated(number: Annotated[int, msgspec.Meta(ge=1)]) -> Any:
    return number


def of_enum(size: Size, ctx: HandlerContext) -> Any:
    assert ctx.attempt == 0
    return size


async def of_coroutine(order: Order) -> Any:
    return order.items


class Methods:
    def of_method(self, order: Order) -> Any:
        return order.id

    def __call__(self, order: Order) -> Any:
        return order.due


@pytest.mark.parametrize(
    ("handler", "input", "output"),
    [
        (of_dataclass, ORDER, ORDER),
        (of_struct, {"order": 7, "total": "2.50"}, {"order": 7, "total": "2.50"}),
        (of_typed_dict, {"order": 1, "weight": 2}, {"order": 2, "weight": 2}),
        (of_list, [ORDER, ORDER], [7, 7]),
        (of_optional, None, None),
        (of_optional, ORDER, "2026-12-01"),
        (of_generic, {"items": [{"name": "cup"}]}, {"name": "cup", "price": 0}),
        (of_annotated, 3, 3),
        (of_enum, "small", "small"),
        (of_coroutine, ORDER, [{"name": "tea", "price": 2}]),
        (Methods().of_method, ORDER, 7),
        (Methods(), ORDER, "2026-12-01"),
        (functools.partial(of_dataclass), ORDER, ORDER),
        (functools.partial(Methods().of_method), ORDER, 7),
    ],
)
def test_an_annotated_handler_gets_its_type(handler: Any, input: Any, output: Any) -> None:
    assert run(handler, {"v": input}, machine({"Work": task(resource="work", InputPath="$.v")})) == output


def test_a_class_of_a_function_is_found_where_the_handler_uses_it() -> None:
    @dataclass
    class Local:
        n: int

    def work(local: Local) -> Any:
        return Local(local.n + 1)

    assert run(work, {"n": 1}) == {"n": 2}


def test_pydantic_models_come_and_go() -> None:
    pydantic = pytest.importorskip("pydantic")
    line = pydantic.create_model("Line", name=(str, ...), due=(date, ...), count=(int, pydantic.Field(alias="n")))

    def alone(input: line) -> Any:
        assert isinstance(input, line)
        return input

    def within(inputs: list[line]) -> Any:
        return {"first": inputs[0]}

    value = {"name": "tea", "due": "2026-12-01", "n": 2}
    assert run(alone, value) == value
    assert run(alone, line(**value)) == value
    assert run(within, [value]) == {"first": value}
    with pytest.raises(ExecutionFailed, match=r"(?s)States.Runtime.*Line.*due"):
        run(alone, {"name": "tea", "due": "soon", "n": 2})


def test_input_that_does_not_fit_names_the_place_and_is_neither_retried_nor_caught() -> None:
    calls: list[Any] = []

    def work(order: Order) -> None:
        calls.append(order)

    again = [retry("States.ALL", MaxAttempts=5), retry("States.TaskFailed")]
    states = {"Work": task(resource="work", Retry=again[:1], Catch=[catch("States.ALL")]), "Caught": passing()}
    with pytest.raises(ExecutionFailed, match=r"States\.Runtime.*Order.*\$\.items\[0\]\.name") as failed:
        run(work, {**ORDER, "items": [{"name": 5}]}, machine(states))
    assert failed.value.error == "States.Runtime"
    assert calls == []


@pytest.mark.parametrize("annotation", [int, str, dict, "dict[str, Any]", "list[int]", "int | None", Any, object])
def test_a_plain_handler_stays_the_function_that_it_is(annotation: Any) -> None:
    def work(value: Any) -> Any:
        return value

    work.__annotations__["value"] = annotation
    with Executor(handlers={"work": work}) as ex:
        registration = ex.client.host.handlers.find_by_name("work")
        assert registration is not None
        assert registration.function is work
    assert run(work, {"a": 1}) == {"a": 1}


def test_an_annotation_that_cannot_be_evaluated_is_logged_and_the_handler_gets_json(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def work(order: Nowhere) -> Any:  # noqa: F821  # pyright: ignore
        return order

    with caplog.at_level(logging.WARNING, "stepwell.handlers"):
        assert run(work, ORDER) == ORDER
    assert "'Nowhere'" in caplog.text


def test_numbers_within_classes_are_numbers_of_json() -> None:
    assert run(lambda value: value, Item("tea", 1e20)) == {"name": "tea", "price": 1e20}
    assert run(lambda value: {"it": Item("tea", 3.0)}, {}) == {"it": {"name": "tea", "price": 3}}
    with Executor() as ex:
        ex.deploy("w", machine({"Echo": passing()}))
        for wrong in (Item("tea", float("nan")), {"it": [Item("tea", float("inf"))]}, Item, object()):
            with pytest.raises(InvalidInput):
                ex.start("w", wrong)


def test_the_decorator_returns_the_function() -> None:
    with Executor() as ex:

        @ex.task("work", concurrency=2)
        def work(order: Order) -> int:
            return order.id

        assert work(Order(3, date(2026, 1, 1))) == 3


@pytest.mark.parametrize("checker", [["mypy", "--strict", "--no-incremental"], ["pyright"]], ids=["mypy", "pyright"])
def test_type_checkers_find_nothing_in_the_example_and_a_mistake_in_a_wrong_one(
    checker: list[str], tmp_path: Path
) -> None:
    program = shutil.which(checker[0], path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip(f"{checker[0]} is not installed")
    wrong = tmp_path / "wrong.py"
    text = EXAMPLE.read_text(encoding="utf-8")
    wrong.write_text(text.replace('charge(Order(1, ["tea"]', 'charge(("tea"'), encoding="utf-8")
    python = ["--python-executable" if checker[0] == "mypy" else "--pythonpath", sys.executable]
    results = [
        subprocess.run([program, *checker[1:], *python, str(path)], capture_output=True, text=True, timeout=110)
        for path in (EXAMPLE, wrong)
    ]
    assert results[0].returncode == 0, results[0].stdout
    assert results[1].returncode == 1, results[1].stdout


def test_the_example_runs() -> None:
    finished = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60, check=True)
    assert "ship has ended: Succeeded" in finished.stdout
    assert "{'order': 7, 'weight': 0.2}" in finished.stdout
