"""Expenses that a person approves: FastAPI in front, the engine in the same process. See README.md.

uvicorn expenses:app
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from stepwell import AsyncExecutor, ExecutionNotFound, HandlerContext, InvalidToken, StorageError, TaskDoesNotExist

WORKFLOW = Path(__file__).with_name("expense.asl.json")
FOLDER = Path(os.environ.get("EXPENSES_FOLDER", "."))
MAILS, BANK = FOLDER / "mails", FOLDER / "bank.sqlite"


class Expense(BaseModel):
    """What an employee sends. The client chooses the ``id``: the same id is the same expense."""

    id: str = Field(pattern="^[A-Za-z0-9_-]{1,80}$")
    employee: str
    cents: int = Field(gt=0)


class Question(BaseModel):
    """What the state Ask gives its handler: whoever has the token may answer."""

    expense: Expense
    token: str


class Answer(BaseModel):
    """What a person sends back. The token is that of the mail."""

    token: str
    approved: bool
    by: str


def ask(question: Question) -> None:
    """Send a mail. Called again after a crash, it sends the same one: the token of a task does not change."""
    mail = MAILS / f"{question.expense.id}.json"
    mail.parent.mkdir(exist_ok=True)
    draft = mail.with_suffix(".draft")
    draft.write_text(question.model_dump_json(), encoding="utf-8")
    draft.rename(mail)


def pay(expense: Expense, ctx: HandlerContext) -> dict[str, str]:
    """Pay. The task's id is the key of the payment: called again after a crash, it pays nothing more."""
    with sqlite3.connect(BANK, timeout=30) as db:
        db.execute("CREATE TABLE IF NOT EXISTS payments (key TEXT PRIMARY KEY, employee TEXT, cents INTEGER)")
        db.execute("INSERT OR IGNORE INTO payments VALUES (?, ?, ?)", (ctx.task_id, expense.employee, expense.cents))
    db.close()
    return {"reference": f"expense {expense.id}"}


engine = AsyncExecutor(FOLDER / "expenses.data", handlers={"ask": ask, "pay": pay})  # opens nothing yet


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Open the folder before the first request, and close it after the last one."""
    async with engine:
        await engine.deploy("expense", WORKFLOW)
        yield


app = FastAPI(title="Expenses", lifespan=lifespan)


@app.post("/expenses", status_code=202)
async def claim(expense: Expense) -> dict[str, Any]:
    """Accept an expense. It is on the disk when this answers."""
    execution = await engine.start("expense", expense, expense.id, if_exists="return")
    return {"id": execution.name, "status": execution.aws_status}


@app.get("/expenses/{id}")
async def show(id: str) -> dict[str, Any]:
    """How far an expense is."""
    execution = await engine.get(workflow="expense", name=id)
    return {
        "id": id,
        "status": execution.aws_status,
        "error": execution.error,
        "cause": execution.cause,
        "output": execution.output,
    }


@app.get("/waiting")
async def waiting() -> list[dict[str, Any]]:
    """The expenses that wait for a person. Tokens are not shown: they are for whom the mail was sent to."""
    tasks = await engine.open_tasks(state="Ask")
    return [(await engine.get(task.execution_id)).input for task in tasks]


@app.post("/answers")
async def answer(answer: Answer) -> dict[str, str]:
    """Answer a question. The answer is on the disk when this answers: no restart asks again."""
    if answer.approved:
        await engine.send_task_success(answer.token, {"by": answer.by})
    else:
        await engine.send_task_failure(answer.token, "Declined", f"by {answer.by}")
    return {"status": "accepted"}


@app.exception_handler(ExecutionNotFound)
async def not_found(request: Request, error: ExecutionNotFound) -> JSONResponse:
    return JSONResponse({"detail": "there is no such expense"}, 404)


@app.exception_handler(TaskDoesNotExist)
async def answered_before(request: Request, error: TaskDoesNotExist) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 400 if isinstance(error, InvalidToken) else 409)


@app.get("/health")
async def health() -> dict[str, str]:
    """503 once the disk has failed: let a supervisor start this process again."""
    try:
        engine.check()
    except StorageError as error:
        raise HTTPException(503, str(error)) from error
    return {"status": "ok"}
