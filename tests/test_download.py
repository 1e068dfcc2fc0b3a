"""Public files: from a mirror, the cache or the network, and never with a wrong checksum.

A server of these tests' own, on this machine, plays the network.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from discover.download import cache_folder, check, fetch, sha256_of
from discover.errors import DataError, DiscoverError, InputError

CONTENT = b"N,loss\n" + b"".join(b"%d,2.5\n" % k for k in range(1, 2000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PATH = "data/my runs.csv"


class Server:
    """A web server whose answers a test sets, by path, and that counts what it was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, bytes, int]] = {}  # status, body, declared length
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, body, declared = outer.answers.get(self.path, (404, b"not here", 8))
                self.send_response(status)
                self.send_header("Content-Length", str(declared))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the terminal."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_port}"
        self.url = f"http://{self.host}/{PATH.replace(' ', '%20')}"

    def serve(self, body: bytes = CONTENT, under: str = "", status: int = 200, declared: int | None = None) -> None:
        """Answer at `under` + the path of the file."""
        path = f"{under}/{PATH}".replace(" ", "%20")
        self.answers[path] = (status, body, len(body) if declared is None else declared)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.http.shutdown()
    server.http.server_close()
    thread.join()


def kept() -> list[Path]:
    """All files in the cache, finished or not."""
    return [path for path in cache_folder().rglob("*") if path.is_file()]


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# ---- from the network


def test_a_file_is_downloaded_once_and_then_read_without_a_network(server: Server) -> None:
    server.serve()
    path = fetch(server.url, SHA256)
    assert path.read_bytes() == CONTENT
    assert path == cache_folder() / server.host / PATH
    assert kept() == [path]
    server.http.shutdown()
    server.http.server_close()
    assert fetch(server.url, SHA256) == path
    assert len(server.asked) == 1


def test_a_file_with_a_wrong_checksum_is_not_kept(server: Server) -> None:
    server.serve(CONTENT + b"one more row\n")
    with pytest.raises(DataError) as caught:
        fetch(server.url, SHA256)
    assert str(caught.value) == (
        f"{server.url}: the checksum of the download is wrong (the card says sha256 {SHA256}); it was not kept"
    )
    assert kept() == []


@pytest.mark.parametrize("sent", [len(CONTENT) // 2, 0], ids=["in the middle", "after the headers"])
def test_a_connection_that_is_cut_leaves_nothing_behind(server: Server, sent: int) -> None:
    server.serve(CONTENT[:sent], declared=len(CONTENT))
    with pytest.raises(DiscoverError) as caught:
        fetch(server.url, SHA256)
    assert str(caught.value).startswith(f"{server.url} could not be downloaded (")
    assert "set DISCOVER_MIRROR" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert kept() == []
    server.serve()  # and the next attempt is not disturbed
    assert fetch(server.url, SHA256).read_bytes() == CONTENT


def test_an_answer_that_is_no_http_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"this is no web server\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/{PATH}"
        with pytest.raises(DiscoverError, match="could not be downloaded"):
            fetch(url, SHA256)
        thread.join()
    assert kept() == []


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_refusal_names_its_status(server: Server, status: int) -> None:
    server.serve(b"go away", status=status)
    with pytest.raises(DiscoverError, match=rf"could not be downloaded \(HTTP status {status}\)"):
        fetch(server.url, SHA256)
    assert kept() == []


def test_a_host_that_is_not_there_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = f"http://127.0.0.1:{closed_port()}/runs.csv"
    with pytest.raises(DiscoverError) as caught:
        fetch(url, SHA256)
    assert str(caught.value) == (
        f"{url} could not be downloaded (no connection): check the network, or set DISCOVER_MIRROR to a folder that "
        "holds <host>/<path> of the file"
    )
    assert caught.value.exit_status == 1, "not the user's input"
    assert kept() == []


def test_a_damaged_file_in_the_cache_is_downloaded_again(server: Server) -> None:
    server.serve()
    path = fetch(server.url, SHA256)
    path.write_bytes(CONTENT[:-10])
    assert fetch(server.url, SHA256).read_bytes() == CONTENT
    assert len(server.asked) == 2
    assert kept() == [path]


def test_a_damaged_file_in_the_cache_is_not_used_without_a_network(server: Server) -> None:
    server.serve()
    fetch(server.url, SHA256).write_bytes(b"damaged")
    server.serve(b"", status=500)
    with pytest.raises(DiscoverError, match="could not be downloaded"):
        fetch(server.url, SHA256)


@pytest.mark.parametrize(
    "url", ["runs.csv", "/data/runs.csv", "https://", "https://host", "https://host/a/../../b", "file:///etc/passwd"]
)
def test_what_is_no_address_of_a_file_is_refused(url: str) -> None:
    with pytest.raises(InputError) as caught:
        fetch(url, SHA256)
    assert str(caught.value) == f"{url!r} is not the address of a file: it should read https://<host>/<path>"


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("DISCOVER_CACHE", str(tmp_path / "a file"))
    server.serve()
    with pytest.raises(DiscoverError) as caught:
        fetch(server.url, SHA256)
    assert str(caught.value).startswith(f"the cache {tmp_path / 'a file'}")
    assert "set DISCOVER_CACHE to another folder" in str(caught.value)


# ---- from a mirror


def test_a_folder_mirror_is_read_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mirror" / "data.example" / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    monkeypatch.setenv("DISCOVER_MIRROR", str(tmp_path / "mirror"))
    assert fetch(f"https://data.example/{PATH.replace(' ', '%20')}", SHA256) == file
    assert kept() == []


def test_a_changed_file_in_a_folder_mirror_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "mirror" / "data.example" / "runs.csv"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT + b"!")
    monkeypatch.setenv("DISCOVER_MIRROR", str(tmp_path / "mirror"))
    with pytest.raises(DataError) as caught:
        fetch("https://data.example/runs.csv", SHA256)
    changed = hashlib.sha256(CONTENT + b"!").hexdigest()
    assert str(caught.value) == (
        f"{file}: the checksum is wrong: sha256 {changed}, the card says {SHA256}; the file was changed"
    )


def test_a_folder_mirror_without_the_file_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    server.serve()
    monkeypatch.setenv("DISCOVER_MIRROR", str(tmp_path))
    assert fetch(server.url, SHA256).read_bytes() == CONTENT


def test_a_folder_mirror_may_be_called_like_a_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    server.serve()
    (tmp_path / "http-mirror").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCOVER_MIRROR", "http-mirror")
    assert fetch(server.url, SHA256).read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_an_http_mirror_is_asked_before_the_url(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.serve(under="/mirror/data.example")
    monkeypatch.setenv("DISCOVER_MIRROR", f"http://{server.host}/mirror/")
    path = fetch(f"https://data.example/{PATH.replace(' ', '%20')}", SHA256)
    assert path == cache_folder() / "data.example" / PATH
    assert path.read_bytes() == CONTENT
    assert server.asked == ["/mirror/data.example/data/my%20runs.csv"]


def test_an_http_mirror_without_the_file_falls_back_to_the_url(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.serve()
    monkeypatch.setenv("DISCOVER_MIRROR", f"http://{server.host}/mirror")
    assert fetch(server.url, SHA256).read_bytes() == CONTENT
    assert [path.split("/")[1] for path in server.asked] == ["mirror", "data"]


def test_an_http_mirror_that_is_down_falls_back_to_the_url(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.serve()
    monkeypatch.setenv("DISCOVER_MIRROR", f"http://127.0.0.1:{closed_port()}")
    assert fetch(server.url, SHA256).read_bytes() == CONTENT


def test_a_wrong_file_on_an_http_mirror_is_named_and_not_kept(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.serve(b"something else", under=f"/mirror/{server.host}")
    monkeypatch.setenv("DISCOVER_MIRROR", f"http://{server.host}/mirror")
    with pytest.raises(DataError, match=rf"http://{server.host}/mirror/.*: the checksum of the download is wrong"):
        fetch(server.url, SHA256)
    assert kept() == []


@pytest.mark.parametrize("mirror", ["/no/such/folder", "ftp://data.example", "data.example"])
def test_a_mirror_that_is_neither_folder_nor_address_is_refused(mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_MIRROR", mirror)
    with pytest.raises(InputError) as caught:
        fetch("https://data.example/runs.csv", SHA256)
    assert str(caught.value) == f"DISCOVER_MIRROR is {mirror!r}, which is neither a folder nor an http address"


def test_a_mirror_without_a_host_falls_back_to_the_url(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.serve()
    monkeypatch.setenv("DISCOVER_MIRROR", "http://")
    assert fetch(server.url, SHA256).read_bytes() == CONTENT


# ---- checksums


def test_the_checksum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    check(tmp_path / "abc", sha256_of(tmp_path / "abc"))
    with pytest.raises(DataError, match="abc: the checksum is wrong"):
        check(tmp_path / "abc", SHA256)
