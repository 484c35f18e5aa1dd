"""Opening the components that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..agents import Writer
from ..core import AdapterStatus, Settings, SettingsError, StoreError
from ..core.extras import require
from ..core.paths import delete_drafts
from ..core.plugins import create
from ..memory import Record, VectorIndex, is_ours
from ..perception import Encoder, MiniLMEncoder
from ..serving import ChatRequest, Engine, OpenAIEngine, api_key, is_sealed, locate, seal_adapter
from .components import Components
from .run_state import HomeStamp
from .skill_heads import heads_directory
from .turn_memory import TurnMemory

ABANDONED = 3600.0
"""Seconds after which nobody is still writing a draft: the process that began it was killed."""
ENCODER = "all-minilm-l6-v2"
"""Name of the default encoder's files."""


def open_components(settings: Settings) -> Components:
    """Everything a learner is made of, opened. See `LifelongLearner.open` for what is raised.

    What was opened is closed again where a later part cannot be, and only then does the home remember its encoder: a start that
    failed decides nothing.
    """
    _make_home(settings.home)
    with ExitStack() as opened:
        record = opened.enter_context(open_store(settings))
        stamp = _checked_stamp(record, settings)
        engine: Engine = create("engines", settings.model.engine, settings=settings)
        opened.callback(engine.close)
        components = Components(
            settings=settings,
            engine=engine,
            encoder=_encoder(settings),
            record=record,
            index=VectorIndex(record.index_directory),
            # An engine that is only a URL has no weights here; training then says so by the model's name.
            base_path=getattr(engine, "path", None) or Path(settings.model.name),
            writer=_writer(settings),
        )
        for folder in (heads_directory(settings.home), record.index_directory):
            delete_drafts(folder, older_than=ABANDONED)
        if stamp is None or not stamp.adapters_sealed:
            seal_recorded(record, components.adapters_directory)
            record.state.put(HomeStamp(encoder=settings.memory.encoder, adapters_sealed=True))
        opened.pop_all()
    return components


def open_store(settings: Settings) -> Record:
    """The store that `memory.store` names, in its home. Raises `PluginError` and `StoreError`."""
    store: Record = create("stores", settings.memory.store, path=settings.home / "record.sqlite3")
    return store


def seal_recorded(record: Record, root: Path) -> list[str]:
    """Give the adapters of a home that an older version wrote the manifest that they lack; returns their names.

    Once a home, at its first opening by a version that loads no adapter without one: what loses its manifest later stays refused.
    Only what the record names, right below `root`, with the mark of a training.
    """
    sealed: list[str] = []
    for adapter in record.adapters.find():
        path = Path(adapter.path)
        if adapter.status is not AdapterStatus.ERASED and path.resolve().parent == root.resolve() and is_ours(path) and not is_sealed(path):
            seal_adapter(path)
            sealed.append(adapter.name)
    return sealed


def open_turns(settings: Settings, record: Record) -> TurnMemory:
    """What people said, for a command that needs no model. Raises `ModelMissing` where the encoder is not there, and `SettingsError`."""
    _checked_stamp(record, settings)
    return TurnMemory(record, _encoder(settings))


@contextmanager
def opened_record(settings: Settings) -> Iterator[tuple[Record, Encoder, TurnMemory]]:
    """The record of a home, which is made where there is none, with its encoder and what people said; no model is opened.

    Raises `ModelMissing` where the encoder is not there, `SettingsError` for a home of another encoder, and `StoreError`.
    """
    _make_home(settings.home)
    with open_store(settings) as record:
        stamp, encoder = _checked_stamp(record, settings), _encoder(settings)
        if stamp is None:
            record.state.put(HomeStamp(encoder=settings.memory.encoder))
        turns = TurnMemory(record, encoder)
        try:
            yield record, encoder, turns
        finally:
            turns.close()


def _checked_stamp(record: Record, settings: Settings) -> HomeStamp | None:
    """What the home was made with. Raises `SettingsError` where that is another encoder."""
    stamp = record.state.get(HomeStamp)
    if stamp and stamp.encoder != settings.memory.encoder:
        raise SettingsError(
            f"memory.encoder is {settings.memory.encoder!r}, but {settings.home} was recorded with {stamp.encoder!r}; "
            f"their vectors do not compare. Add --set memory.encoder={stamp.encoder}, or choose another home"
        )
    return stamp


def _make_home(home: Path) -> None:
    """A folder that only this user can enter. Raises `StoreError` where there cannot be one."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise StoreError(f"{home} is a file; name a folder for the record with --home or the setting home") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(f"the folder {home} cannot be made ({reason}); choose another with --home or the setting home") from None


def _encoder(settings: Settings) -> Encoder:
    if settings.memory.encoder == "minilm":
        require("sentence_transformers")  # before its files are pulled for nothing
        return MiniLMEncoder(locate(ENCODER), halved=True)
    encoder: Encoder = create("encoders", settings.memory.encoder, settings=settings)
    return encoder


def _writer(settings: Settings) -> Writer | None:
    if not settings.model.reflector_url:
        return None
    stronger = OpenAIEngine(
        settings.model.reflector_model,
        url=settings.model.reflector_url,
        api_key=api_key(settings.model.reflector_api_key_variable, "model.reflector_api_key_variable"),
    )

    def write(prompt: str) -> str:
        request = ChatRequest(messages=[{"role": "user", "content": prompt}], max_tokens=80)
        return stronger.chat([request])[0].text

    return write
