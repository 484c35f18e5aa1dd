"""Bodies that clients compress, and bodies that only claim to be."""

from __future__ import annotations

import gzip
import zlib

import pytest
import zstandard

from lifelong.core import MalformedTask
from lifelong.interfaces.gateway.protocols.content_encoding import TooLarge, UnknownEncoding, decode

TEXT = b'{"messages": []}' * 100


def raw_deflate(body: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(body) + made.flush()


ENCODED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:50]) + gzip.compress(TEXT[50:]),
    "deflate": zlib.compress(TEXT),
    " Deflate ": raw_deflate(TEXT),
    "zstd": zstandard.compress(TEXT),
    "identity, ZSTD": zstandard.compress(TEXT[:50]) + zstandard.compress(TEXT[50:]),
    "gzip, zstd": zstandard.compress(gzip.compress(TEXT)),
    "identity": TEXT,
    "": TEXT,
}


@pytest.mark.parametrize("name", ENCODED)
def test_every_encoding_is_undone(name: str) -> None:
    assert decode(ENCODED[name], name, len(TEXT)) == TEXT


@pytest.mark.parametrize("name", [name for name in ENCODED if "identity" != name.strip() != ""])
def test_no_more_than_the_limit_is_decoded(name: str) -> None:
    with pytest.raises(TooLarge, match="larger than 50 bytes"):
        decode(ENCODED[name], name, 50)


def test_a_body_that_grows_a_thousandfold_is_not_decoded_whole() -> None:
    with pytest.raises(TooLarge):
        decode(gzip.compress(bytes(10_000_000)), "gzip", 1000)
    with pytest.raises(TooLarge):
        decode(zstandard.compress(bytes(10_000_000)), "zstd", 1000)


@pytest.mark.parametrize("name", ["br", "compress", "gzip, br", "gzip, gzip, gzip", "x" * 500])
def test_other_encodings_are_refused_by_name(name: str) -> None:
    with pytest.raises(UnknownEncoding, match=r"zstd|times"):
        decode(TEXT, name, 10_000)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("body", [b"{}", TEXT, b"\x00" * 40])
def test_bytes_that_are_not_what_they_claim_to_be_are_refused(name: str, body: bytes) -> None:
    with pytest.raises(MalformedTask, match=f"the body is not {name}"):
        decode(body, name, 10_000)


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_half_a_body_is_refused(name: str) -> None:
    with pytest.raises(MalformedTask, match="ends too early"):
        decode(ENCODED[name][:-9], name, 10_000)
