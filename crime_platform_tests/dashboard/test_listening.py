"""Where the page's server listens, under which names, and how long it waits for a question."""

import socket
import time

import pytest

from crime_platform.dashboard.listening import PortError, address_of, listening_socket
from crime_platform.dashboard.patience import PatientProtocol
from crime_platform.dashboard.request_guard import is_loopback_name
from crime_platform.vocabulary.home import PlatformHome
from toys.dashboard import ToyMakers, publish, serving, write_web


def test_a_taken_port_is_passed_over():
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with listening_socket("127.0.0.1", port) as other:
            assert port < other.getsockname()[1] < port + 10


def test_no_free_port_names_the_cure(monkeypatch):
    monkeypatch.setattr("crime_platform.dashboard.listening.PORTS_TRIED", 1)
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortError, match=f"ports {port} to {port} of 127.0.0.1 are taken"):
            listening_socket("127.0.0.1", port)


def test_an_address_that_is_not_this_machines_is_refused():
    with pytest.raises(PortError, match=r"cannot listen at '203.0.113.1', port 0: "):
        listening_socket("203.0.113.1", 0)


@pytest.mark.parametrize("port", [-1, 65_530])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(PortError, match=f"a port is a number from 0 to 65525, got {port}"):
        listening_socket("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "link"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")]
)
def test_the_link_can_be_opened_here(host, link):
    with listening_socket(host, 0) as listener:
        assert address_of(listener) == f"{link}{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1:8321", True),
        ("127.0.0.1", True),
        ("LOCALHOST:1", True),
        ("[::1]:8321", True),
        ("192.168.1.2:8321", False),
        ("[fe80::1]:8321", False),
        ("localhost@evil.example", False),
        (":8321", False),
    ],
)
def test_which_names_are_loopback(host, is_local):
    assert is_loopback_name(host) == is_local


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_connection_that_does_not_ask_to_the_end_is_closed(tmp_path, monkeypatch, said):
    monkeypatch.setattr(PatientProtocol, "request_seconds", 0.3)
    home = PlatformHome(tmp_path / "home")
    publish(home, "0a")

    with (
        serving(home, write_web(tmp_path / "web")) as client,
        socket.create_connection(("127.0.0.1", client.port), timeout=20) as connection,
    ):
        connection.sendall(said)
        left = connection.recv(100)
        is_open = client.ask("/").status

    assert left == b""  # closed by the server
    assert is_open == 200


def test_an_answer_that_takes_longer_is_not_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(PatientProtocol, "request_seconds", 0.2)
    home = PlatformHome(tmp_path / "home")
    publish(home, "0a")
    makers = ToyMakers()
    made = makers.make_cells
    makers.make_cells = lambda connection, area: (time.sleep(0.8), made(connection, area))[1]

    with serving(home, write_web(tmp_path / "web"), makers=makers) as client:
        assert client.ask("/api/cells/toy").status == 200
