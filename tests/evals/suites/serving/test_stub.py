"""The scripted upstream lists its model, answers chats in both ways, and knows nothing else."""

from __future__ import annotations

import asyncio
import json

import httpx

from lifelong.evals.suites.serving import stub


def test_the_stub_answers_what_clients_ask_first() -> None:
    async def run() -> tuple[list[str], str, int]:
        async with await asyncio.start_server(stub.serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                models = [one["id"] for one in (await client.get("/v1/models")).json()["data"]]
                streamed = (await client.post("/v1/chat/completions", json={"stream": True})).text
                missing = (await client.post("/v1/embeddings", json={})).status_code
        return models, streamed, missing

    models, streamed, missing = asyncio.run(run())
    assert (models, missing) == ([stub.MODEL], 404)
    words = [json.loads(line[6:])["choices"][0]["delta"].get("content", "") for line in streamed.splitlines() if line.startswith("data: {")]
    assert "".join(words).split() == list(stub.WORDS)
    assert streamed.rstrip().endswith("data: [DONE]")
