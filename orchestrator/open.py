"""Opening the components that the settings name."""

from __future__ import annotations

from ..agents import Writer
from ..core import Settings, SettingsError
from ..core.plugins import create
from ..memory import Record, VectorIndex
from ..perception import Encoder, MiniLMEncoder
from ..serving import ChatRequest, EmbeddedEngine, Engine, VLLMEngine, VLLMServer, api_key, locate
from .components import Components
from .run_state import HomeStamp

ENCODER = "all-minilm-l6-v2"
"""Name of the default encoder's files."""


def open_components(settings: Settings) -> Components:
    """Everything a learner is made of, opened. See `LifelongLearner.open` for what is raised."""
    settings.home.mkdir(parents=True, exist_ok=True)
    record = Record(settings.home / "record.sqlite3")
    stamp = record.state.get(HomeStamp)
    if stamp and stamp.encoder != settings.memory.encoder:
        raise SettingsError(
            f"memory.encoder is {settings.memory.encoder!r}, but {settings.home} was recorded with {stamp.encoder!r}; "
            "their vectors do not compare. Keep the old encoder or choose another home"
        )
    record.state.put(HomeStamp(encoder=settings.memory.encoder))
    base_path = locate(settings.model.name)
    return Components(
        settings=settings,
        engine=_engine(settings, str(base_path)),
        encoder=_encoder(settings),
        record=record,
        index=VectorIndex(record.index_directory),
        base_path=base_path,
        writer=_writer(settings),
    )


def _encoder(settings: Settings) -> Encoder:
    if settings.memory.encoder == "minilm":
        return MiniLMEncoder(locate(ENCODER))
    encoder: Encoder = create("encoders", settings.memory.encoder, settings=settings)
    return encoder


def _engine(settings: Settings, base_path: str) -> Engine:
    if settings.model.engine == "embedded":
        return EmbeddedEngine(base_path)
    if settings.model.engine != "vllm":
        engine: Engine = create("engines", settings.model.engine, settings=settings)
        return engine
    if settings.model.url:
        return VLLMEngine(base_path, url=settings.model.url, api_key=api_key(settings.model.api_key_variable, "model.api_key_variable"))
    return VLLMEngine(base_path, server=VLLMServer(base_path, max_lora_rank=settings.sleep.rank).start())


def _writer(settings: Settings) -> Writer | None:
    if not settings.model.reflector_url:
        return None
    stronger = VLLMEngine(
        settings.model.reflector_model,
        url=settings.model.reflector_url,
        api_key=api_key(settings.model.reflector_api_key_variable, "model.reflector_api_key_variable"),
    )

    def write(prompt: str) -> str:
        request = ChatRequest(messages=[{"role": "user", "content": prompt}], max_tokens=80)
        return stronger.chat([request])[0].text

    return write
