"""An engine in front of a small real HTTP server that speaks as vLLM does."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from wire import Handler, Protocol, Server

from lifelong.core import Adapter
from lifelong.serving import VLLMEngine, seal_adapter


@pytest.fixture
def protocol() -> Protocol:
    return Protocol()


@pytest.fixture
def url(protocol: Protocol) -> Iterator[str]:
    with Server(("127.0.0.1", 0), type("Bound", (Handler,), {"protocol": protocol})) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def engine(url: str) -> Iterator[VLLMEngine]:
    engine = VLLMEngine("tiny", url=url, linger=0.05)
    yield engine
    engine.close()


@pytest.fixture
def adapter(tmp_path: Path) -> Callable[..., Adapter]:
    """Write an adapter's files; `config` overrides what stands in its configuration."""

    def make(name: str, *, rank: int = 2, base: str = "tiny", files_rank: int = 0, fill: float = 1.0, **config: Any) -> Adapter:
        path = tmp_path / "adapters" / name
        path.mkdir(parents=True, exist_ok=True)
        plain = {
            "peft_type": "LORA",
            "r": rank,
            "lora_alpha": 4,
            "target_modules": ["q_proj"],
            "base_model_name_or_path": "tiny",
            "bias": "none",
        }
        (path / "adapter_config.json").write_text(json.dumps({**plain, **config}))
        prefix = "base_model.model.model.layers.0.self_attn.q_proj"
        down, up = np.full((files_rank or rank, 6), fill, "f4"), np.full((8, files_rank or rank), fill, "f4")
        save_file({f"{prefix}.lora_A.weight": down, f"{prefix}.lora_B.weight": up}, path / "adapter_model.safetensors")
        seal_adapter(path)
        return Adapter(name=name, path=str(path), base=base, rank=rank)

    return make
