"""The `dashboard` command: serves the page of the published release and opens it."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from crime_platform.commands.terminal import TerminalConsole, print_error
from crime_platform.dashboard.listening import PORT, PortError, is_local
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

EVERYWHERE = (
    "Everyone on the network can read this page: it is bound to {host}, not to this machine alone."
)


def dashboard(
    port: Annotated[int, typer.Option(help="Port; the next free one if it is taken")] = PORT,
    host: Annotated[
        str, typer.Option(help="Address to listen at; 127.0.0.1 keeps the page to this machine")
    ] = "127.0.0.1",
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Print the link only; open no browser")
    ] = False,
) -> None:
    """Serve the 3D page of the published release on this machine, until Ctrl-C.

    A new release shows up without a restart. Exit code 0: stopped. 2: bad input.
    """
    from crime_platform.dashboard.server import serve
    from crime_platform.dashboard.static_files import WebError

    out, err = TerminalConsole(), TerminalConsole(stderr=True)
    home = PlatformHome.from_environment()

    def tell(link: str, bound_to: str) -> None:
        if f":{port}/" not in link and port:
            out.print(f"Port {port} is taken.", highlight=False)
        if not is_local(bound_to):
            err.print(EVERYWHERE.format(host=bound_to), style="yellow", highlight=False)
        if not home.forecasts.exists():
            err.print("Nothing is published yet: crime-platform run makes the first release.")
        out.print(f"Dashboard: {link}  (Ctrl-C stops it)", soft_wrap=True, highlight=False)
        if not no_open and has_display():
            webbrowser.open(link)

    try:
        serve(home, host=host, port=port, on_start=tell)
    except (PortError, WebError) as error:
        print_error(err, "no dashboard", [str(error)])
        raise typer.Exit(BAD_INPUT) from None


def has_display() -> bool:
    """Whether a browser has a screen; without one a text browser would take this terminal."""
    is_desktop = sys.platform in ("darwin", "win32")
    return is_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
