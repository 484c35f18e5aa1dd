"""Every named error of the package. A message says what was wrong and what to do about it."""

from __future__ import annotations


class LifelongError(Exception):
    """Base of all errors raised on purpose; anything else that escapes is a defect."""


class MalformedTask(LifelongError, ValueError):
    """A task, request or feedback that cannot be understood."""


class SettingsError(LifelongError, ValueError):
    """An unknown, ill-typed or out-of-range setting; the message names it."""


class PluginError(SettingsError):
    """A member of an extension point that is not there, cannot be imported or cannot be made."""


class PackageMissing(LifelongError, ImportError):
    """A package that only an extra installs is not there; the message names the extra."""


class DataMissing(LifelongError, FileNotFoundError):
    """A data directory or file that a suite or environment needs is not there."""


class DataMalformed(LifelongError, ValueError):
    """A data file that cannot be read as what it should be; the message names the line and what to write there."""


class ModelMissing(LifelongError, FileNotFoundError):
    """Model files are neither in the cache nor reachable."""


class ModelCorrupt(LifelongError, ValueError):
    """Model files do not have the expected hash or content."""


class EngineUnreachable(LifelongError, ConnectionError):
    """The engine does not answer."""


class AdapterRejected(LifelongError, ValueError):
    """An adapter that does not fit the base model or the engine's limits."""


class StoreError(LifelongError, OSError):
    """The record could not be written or read: a full disk, a locked or damaged file."""


class DemonstrationFailed(LifelongError, RuntimeError):
    """An environment's expert gave no demonstration of a task: there is none, it failed, or it took too long."""


class NothingFound(LifelongError, LookupError):
    """What was named (an episode, a skill, an adapter) is not in the record."""


class Cancelled(LifelongError, RuntimeError):
    """Nobody waits for the result any more; what was begun is given up and not recorded."""
