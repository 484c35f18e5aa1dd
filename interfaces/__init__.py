"""The doors: the command line and the gateway that chat tools speak to.

A door turns what comes in from outside (flags, environment, a settings file, HTTP) into the words of `core` and
hands them to the learner; it decides nothing. `cli.main` is the `lifelong` command, `load_settings` reads the three
places where settings come from, and `create_app` answers like an OpenAI-compatible server.
"""

from __future__ import annotations

from .settings_loader import load_settings

__all__ = ["load_settings"]
