"""Bytes of local files and fsspec addresses, unpacked as they are read; and libraries that not everybody installs."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pilah.page import InputError, reason

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def need(module: str, extra: str = "corpus") -> Any:
    """Import an optional library.

    Raises
    ------
    InputError
        If it is not installed; the sentence names the extra that brings it.
    """
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError:
        raise InputError(f"this needs the library {module.partition('.')[0]}: pip install 'pilah[{extra}]'") from None


def open_raw(address: str) -> BinaryIO:
    """Open a path or an fsspec address for reading bytes.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    try:
        if "://" in address:
            opened: BinaryIO = need("fsspec").open(address, "rb").open()
            return opened
        return Path(address).open("rb", buffering=0)
    except (OSError, ValueError, ImportError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{address} cannot be read: {reason(error)}") from None


class Stream(io.RawIOBase):
    """The bytes of a file, unpacked. Damage ends the stream, is kept in ``damage``, and loses no byte before it."""

    def __init__(self, address: str, start: int = 0) -> None:
        self._raw = open_raw(address)
        if start:
            self._raw.seek(start)
        self.start, self.damage, self._held = start, "", memoryview(b"")
        self._broken: tuple[type[Exception], ...] = (EOFError, OSError, zlib.error)
        self._unpacked: Any = self._raw
        if address.lower().endswith(".gz"):
            self._unpacked = gzip.GzipFile(fileobj=self._raw)
        elif address.lower().endswith((".zst", ".zstd")):
            self._unpacked = _Zstandard(self._raw)
            self._broken += (need("zstandard").ZstdError,)

    @property
    def consumed(self) -> int:
        """Bytes of the file read so far."""
        return int(self._raw.tell()) - self.start if not self._raw.closed else 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer as far as there is something to be had at once; 0 at the end or where the file is damaged."""
        view = memoryview(buffer).cast("B")
        if not self._held and not self.damage:
            try:
                plain = self._unpacked is self._raw
                self._held = memoryview(self._raw.read(len(view)) if plain else self._unpacked.read1(len(view)))
            except self._broken as error:
                early = isinstance(error, EOFError)
                self.damage = "the file ends early: it was cut off" if early else f"the file is damaged: {reason(error)}"
        size = min(len(view), len(self._held))
        view[:size], self._held = self._held[:size], self._held[size:]
        return size

    def close(self) -> None:
        """Close the file as well."""
        if hasattr(self, "_raw"):  # what could not be opened is closed too, when it is collected
            self._raw.close()
        super().close()


class _Zstandard:
    """Frame after frame; unlike the library's own reader it notices a frame that ends early."""

    def __init__(self, raw: BinaryIO) -> None:
        self.raw, self.rest = raw, b""
        self.frame: Any = None
        self.library = need("zstandard")

    def read1(self, size: int) -> bytes:
        out = b""
        while not out:
            data, self.rest = self.rest or self.raw.read(8192), b""  # little: it may unpack to a thousand times as much
            if not data:
                if self.frame is not None:
                    raise EOFError
                break
            if self.frame is None:
                self.frame = self.library.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
            out = self.frame.decompress(data)
            if self.frame.eof:
                self.rest, self.frame = self.frame.unused_data, None
        return out
