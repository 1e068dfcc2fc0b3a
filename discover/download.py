"""Public data files: looked for in a mirror, then in the user's cache, then downloaded, always against a checksum.

`DISCOVER_MIRROR` names a folder, or an http address, that holds ``<host>/<path of the URL>``; it is tried first.
A file whose checksum is wrong is never used and never enters the cache.
"""

from __future__ import annotations

import os
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from discover.errors import DataError, DiscoverError, InputError, UnreachableError


def cache_folder() -> Path:
    """Where downloads are kept: `DISCOVER_CACHE`, or the system's folder for caches."""
    import pooch

    return Path(os.environ.get("DISCOVER_CACHE") or pooch.os_cache("discover-laws"))


def fetch(url: str, sha256: str) -> Path:
    """Path of a local copy of the file at `url`.

    Raises
    ------
    DataError
        When the file's checksum is not `sha256`.
    UnreachableError
        When the file is in neither mirror nor cache and cannot be downloaded.
    DiscoverError
        When the cache cannot be written.
    """
    inside = _path_of(url)
    mirror = os.environ.get("DISCOVER_MIRROR", "")
    on_the_web = mirror.startswith(("http://", "https://"))
    if mirror and not on_the_web:
        if not Path(mirror).is_dir():
            raise InputError(f"DISCOVER_MIRROR is {mirror!r}, which is neither a folder nor an http address")
        path = Path(mirror) / inside
        if path.is_file():
            check(path, sha256)
            return path
    cached = cache_folder() / inside
    if cached.is_file() and _sha256(cached) == sha256:
        return cached
    sources = [f"{mirror.rstrip('/')}/{quote(inside.as_posix(), safe='/:')}"] if on_the_web else []
    return _download([*sources, url], sha256, cached)


def check(path: Path, sha256: str) -> None:
    """Raise a `DataError` unless the file at `path` has the checksum `sha256`."""
    actual = _sha256(path)
    if actual != sha256:
        raise DataError(f"{path}: the checksum is wrong: sha256 {actual}, the card says {sha256}; the file was changed")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return _sha256(path)


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _path_of(url: str) -> PurePosixPath:
    parts = urlsplit(url)
    inside = PurePosixPath(parts.netloc + unquote(parts.path))
    if parts.scheme not in ("http", "https") or not parts.netloc or len(inside.parts) < 2 or ".." in inside.parts:
        raise InputError(f"{url!r} is not the address of a file: it should read https://<host>/<path>")
    return inside


def _download(sources: list[str], sha256: str, cached: Path) -> Path:
    import pooch
    from urllib3.exceptions import HTTPError

    pooch.get_logger().setLevel("WARNING")
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiscoverError(
            f"the cache {cached.parent} cannot be written ({error.strerror}): set DISCOVER_CACHE to another folder"
        ) from None
    for number, source in enumerate(sources):
        last = number == len(sources) - 1
        try:
            # pooch downloads to a temporary file and moves it here only when its checksum is right.
            return Path(pooch.retrieve(source, f"sha256:{sha256}", fname=cached.name, path=cached.parent))
        except (OSError, HTTPException, HTTPError) as error:  # before ValueError: some of requests' errors are both
            if last:
                reason = _reason(error)
                raise UnreachableError(
                    f"{source} could not be downloaded ({reason}): check the network, or set DISCOVER_MIRROR to a "
                    "folder that holds <host>/<path> of the file"
                ) from None
        except ValueError:
            raise DataError(
                f"{source}: the checksum of the download is wrong (the card says sha256 {sha256}); it was not kept"
            ) from None
    raise AssertionError("there is always one source")


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP status {response.status_code}"
    if getattr(error, "strerror", None):
        return str(error.strerror)  # type: ignore[attr-defined]
    kind = type(error).__name__
    if kind == "ChunkedEncodingError":
        return "the connection was cut"
    return "no connection" if "onnection" in kind else kind
