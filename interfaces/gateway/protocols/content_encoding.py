"""Bodies that clients compress: decoded at the edge, within the limit of a body, so that nothing behind it has to know.

Codex sends zstd to servers that it takes for OpenAI's, other clients gzip (RFC 9110, section 8.4).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import zstandard

from ....core import MalformedTask

AUTOMATIC = zlib.MAX_WBITS | 32
"""zlib's number for both gzip and zlib, whichever the bytes begin with."""
RAW = -zlib.MAX_WBITS
"""Some clients send `deflate` without zlib's head."""
MOST_LAYERS = 2
"""Encodings on top of each other; more are no client's."""


class UnknownEncoding(MalformedTask):
    """A body in an encoding that is not read here."""


class TooLarge(MalformedTask):
    """A body that is larger than allowed once it is decoded."""


def decode(body: bytes, encodings: str, most: int) -> bytes:
    """The body of a request without its `Content-Encoding`, at most `most` bytes of it.

    Raises `UnknownEncoding`, `TooLarge`, and `MalformedTask` where the bytes are not what the header says.
    """
    names = [name.strip().lower() for name in encodings.split(",") if name.strip()]
    if len(names) > MOST_LAYERS:
        raise UnknownEncoding(f"the body is encoded {len(names)} times; send it encoded once, or as it is")
    for name in reversed(names):
        decoder = DECODERS.get(name)
        if decoder is None:
            raise UnknownEncoding(f"the Content-Encoding {name[:40]!r} is not read here; use one of {', '.join(DECODERS)}, or none")
        try:
            body = decoder(body, most)
        except (zlib.error, zstandard.ZstdError, EOFError) as error:
            raise MalformedTask(f"the body is not {name}, as its Content-Encoding says: {str(error) or 'it ends too early'}") from None
    return body


def _inflate(body: bytes, most: int, bits: int = AUTOMATIC) -> bytes:
    """Members of gzip may follow each other; each is decoded."""
    out = b""
    while body:
        member = zlib.decompressobj(bits)
        out += member.decompress(body, most + 1 - len(out))
        if len(out) > most:
            raise TooLarge(f"the body is larger than {most} bytes once it is decoded; shorten the conversation")
        if not member.eof:
            raise EOFError
        body = member.unused_data
    return out


def _deflate(body: bytes, most: int) -> bytes:
    try:
        return _inflate(body, most)
    except zlib.error:
        return _inflate(body, most, RAW)


def _zstd(body: bytes, most: int) -> bytes:
    with zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(body, read_across_frames=True) as reader:
        out = reader.read(most + 1)
    if len(out) > most:
        raise TooLarge(f"the body is larger than {most} bytes once it is decoded; shorten the conversation")
    return out


def _identity(body: bytes, most: int) -> bytes:
    return body


DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = MappingProxyType(
    {"gzip": _inflate, "x-gzip": _inflate, "deflate": _deflate, "zstd": _zstd, "identity": _identity}
)
"""What decodes each encoding."""
