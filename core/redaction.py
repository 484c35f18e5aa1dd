"""Keeping credentials out of everything that is printed, logged, stored or sent to a client."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from .errors import SettingsError

MASK = "***"
"""What stands where a credential stood."""

# Every expression below reads outside text, so each is linear: one bounded or self-delimiting repetition after a literal.
_USERINFO = re.compile(r"://[^\s/?#]{0,1024}@")
_BEARER = re.compile(r"\b(bearer |authorization[\"']? ?[=:] ?[\"']?basic )[\w.~+/=-]{8,}", re.IGNORECASE)
_ASSIGNED = re.compile(r"((?:api[_-]?key|token|password|passwd|secret)[\"']? ?[=:] ?[\"']?)[^\s\"',;&]{8,}", re.IGNORECASE)
_PREFIXED = re.compile(r"\b(?:sk|pk|hf|ghp|gho|xoxb|glpat)[-_][\w-]{16,}")


@dataclass(frozen=True, kw_only=True)
class Address:
    """A URL taken apart into what may be shown and what may not."""

    url: str
    """The URL without user name and password."""
    user: str = ""
    """User name, decoded."""
    password: str = field(default="", repr=False)
    """Password, decoded."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every spelling in which the password could come back in somebody's error text."""
        if not self.password:
            return ()
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return (basic, self.password, quote(self.password, safe=""))


def redact(text: str, secrets: Iterable[str] = (), *, limit: int | None = None) -> str:
    """`text` with user names and passwords of URLs, `secrets`, and what looks like a key replaced by `MASK`.

    With `limit`, cut to so many characters, after the replacement, so that no half of a credential is left at the cut.
    """
    for secret in sorted({one for one in secrets if one}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _USERINFO.sub(f"://{MASK}@", text)
    text = _BEARER.sub(rf"\g<1>{MASK}", text)
    text = _ASSIGNED.sub(rf"\g<1>{MASK}", text)
    text = _PREFIXED.sub(MASK, text)
    return text if limit is None or len(text) <= limit else f"{text[:limit]} ..."


def split_url(url: str, setting: str = "the URL") -> Address:
    """Take user name and password out of an `http` or `https` URL.

    Raises `SettingsError`, which never shows the URL's text beyond its scheme, when there is no host or when a character of the
    password that has a meaning in URLs (`/ ? #`) was not percent-encoded, since half of it would then pass for the host.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise SettingsError(f"{setting} must begin with http:// or https://")
    end = min((place for mark in "/?#" if (place := rest.find(mark)) >= 0), default=len(rest))
    userinfo, _, host = rest[:end].rpartition("@")
    name, colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if (
        not (name if colon else host)
        or (colon and not (port.isascii() and port.isdigit()))
        or any(c.isspace() for c in host)
        or host.count("[") != host.count("]")
    ):
        raise SettingsError(
            f"{setting} has no valid host and port; write / ? # @ of a user name or password percent-encoded (%2F %3F %23 %40)"
        )
    if "@" in rest[end:].partition("?")[0].partition("/")[0]:
        raise SettingsError(f"{setting} is not a valid URL; percent-encode the special characters of its user name or password")
    user, _, password = userinfo.partition(":")
    return Address(url=f"{scheme.lower()}://{host}{rest[end:]}", user=unquote(user), password=unquote(password))
