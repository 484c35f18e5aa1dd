"""The command line, and the gateway that chat tools speak to.

Both turn what comes in from outside (flags, environment, a settings file, HTTP) into the types of `core` and
hand them to the learner; they decide nothing. `cli.main` is the `lifelong` command, `load_settings` reads the three
places where settings come from, and `create_app` answers like an OpenAI-compatible server.
"""

from __future__ import annotations

from .settings_loader import load_settings

__all__ = ["load_settings"]
