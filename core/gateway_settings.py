"""Settings of the HTTP gateway, and how a setting's range is checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import SettingsError

_ORIGIN = re.compile(r"https?://[^/?#@\s]+")
"""What a browser sends as `Origin`: no path, no slash at the end."""


def within(group: str, settings: object, **ranges: tuple[float, float]) -> None:
    """Raise `SettingsError` for the first setting of a group that lies outside its range."""
    for name, (low, high) in ranges.items():
        value = getattr(settings, name)
        if not low <= value <= high:  # NaN lies nowhere
            raise SettingsError(f"{group}.{name} is {value}; it must lie between {low} and {high}")


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """What the HTTP gateway accepts, and how much of it at once."""

    require_tenant: bool = False
    """Whether a request must name its tenant. False: clients without a name share the tenant `default`, its memory included."""
    hosts: str = "localhost,127.0.0.1,[::1]"
    """Names under which clients may reach the gateway (the `Host` header), separated by commas; `*` allows any."""
    origins: str = ""
    """Web pages that may ask from a browser (CORS), separated by commas, such as `https://chat.example.org`; empty: none; `*`: all."""
    max_running: int = 128
    """Most answers made at once."""
    max_waiting: int = 256
    """Most requests that wait for their turn; beyond them the answer is 503 with `Retry-After`."""
    max_connections: int = 512
    """Most open connections, and never fewer than can run and wait. One more closes the connection that has waited longest without a
    whole request."""
    head_seconds: float = 10
    """A connection whose request head is not complete after this many seconds is closed."""
    body_seconds: float = 30
    """A connection whose request body is not complete after this many seconds is closed."""
    max_body_mib: int = 32
    """Largest request in MiB, where requests are passed on to a server; images and files are part of them. Elsewhere it is 1 MiB."""
    deadline_ms: float = 100
    """Milliseconds that perception and recall may take together before a request is passed on without them."""
    record_seconds: float = 1
    """Seconds that the end of an answer waits until it is recorded. After them it goes out, marked as not recorded yet."""
    keep_alive_seconds: float = 15
    """A stream in which nothing came for so many seconds gets a comment, so that nobody on the way takes it for dead."""
    upstream_seconds: float = 600
    """Most seconds of silence of a server that requests are passed on to."""

    @property
    def origin_list(self) -> list[str]:
        """The origins, one by one."""
        return [one for one in (part.strip() for part in self.origins.split(",")) if one]

    def __post_init__(self) -> None:
        if wrong := [one for one in self.origin_list if one != "*" and not _ORIGIN.fullmatch(one)]:
            raise SettingsError(
                f"gateway.origins holds {wrong[0]!r}; an origin is a scheme, a host and perhaps a port, such as https://chat.example.org"
            )
        within(
            "gateway",
            self,
            max_running=(1, 1024),
            max_waiting=(0, 100_000),
            max_connections=(2, 100_000),
            head_seconds=(0.05, 3600),
            body_seconds=(0.05, 3600),
            max_body_mib=(1, 1024),
            deadline_ms=(1, 60_000),
            record_seconds=(0.01, 600),
            keep_alive_seconds=(0.05, 3600),
            upstream_seconds=(0.05, 86_400),
        )
