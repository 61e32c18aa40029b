"""An agent that survives its process: a model, tools, and a person who signs off what is dangerous. See README.md.

python agent.py shop ticket-1 'My desk arrived broken: order 7.'     # kill it at any moment, and start it again
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, TypedDict

from model import Call, Model, Reply, ScriptedModel
from tools import Shop

from stepwell import Executor, HandlerContext

FOLDER = Path(__file__).parent
MODEL_SECONDS = float(os.environ.get("AGENT_MODEL_SECONDS", "0.5"))


class Conversation(TypedDict):
    """What the state Think gives its handler."""

    messages: list[dict[str, Any]]


class Agent:
    """The handlers. Each result is on the disk before the next state begins: a reply is paid for once."""

    def __init__(self, model: Model, shop: Shop) -> None:
        self._model, self._shop = model, shop

    def think(self, conversation: Conversation) -> Reply:
        """Ask the model for its next message."""
        return self._model.reply(conversation["messages"])

    def call_tool(self, call: Call, ctx: HandlerContext) -> dict[str, str]:
        """Call a tool. ``ctx.task_id`` is its key: the same, when a crash makes the engine call again."""
        content = self._shop.tool(call["tool"])(ctx.task_id, **call["arguments"])
        return {"role": "tool", "call": call["id"], "content": content}


def main() -> int:
    """Answer a question, or go on with the answer that was begun before."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="the folder with the engine's data and the shop's database")
    parser.add_argument("ticket", help="the name of the execution: the same ticket is the same conversation")
    parser.add_argument("question")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    model = ScriptedModel(FOLDER / "script.json", options.folder / "bill", MODEL_SECONDS)
    agent = Agent(model, Shop(options.folder / "shop.sqlite"))

    with Executor(options.folder / "agent.data", handlers={"think": agent.think, "call_tool": agent.call_tool}) as ex:
        ex.deploy("agent", FOLDER / "agent.asl.json")
        execution = ex.start("agent", {"question": options.question}, options.ticket, if_exists="return")
        print(f"{options.ticket} is {execution.status}", flush=True)
        for event in execution.events():  # those that are there and those that come, until its end
            if event["type"] == "ActivityScheduled":
                print(f"waits for a person: {event['activityScheduledEventDetails']['input']}", flush=True)
        if execution.status != "Succeeded":
            print(f"{execution.error}: {execution.cause}", file=sys.stderr)
            return 1
        for message in execution.output["messages"]:
            print(f"{message['role']:>10}: {message['content']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
