"""Correct the labels of dumps in a browser, and train with the corrections.

    python -m pilah.annotate my_dumps/                                          prints the address to open
    python -m pilah.annotate my_dumps/ port=0 model=models/last open=true
    python -m pilah.annotate export my_dumps/ format=labelstudio file=tasks.json
    python -m pilah.annotate import my_dumps/ format=doccano file=export.jsonl  adds to the folder; overwrite=true

A folder holds raw dumps (*.txt); what has been decided is saved beside them (*.tsv), a line not checked yet as `?`.
Settings and what they are without being set:
"""

from __future__ import annotations

import secrets
import socket
import sys
import webbrowser
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pilah.annotate.desk import Desk
from pilah.annotate.exchange import FORMATS, bring_in, export
from pilah.annotate.store import Store
from pilah.batch import LAST, choose_model, split_arguments
from pilah.page import InputError, first_sentence, reason


@dataclass
class Settings:
    """What can be said as ``key=value``."""

    model: str = ""  # empty: the one trained last here, else the shipped one
    port: int = 8765  # 0: any free one
    open: bool = False  # open the browser
    encoding: str = "utf-8"  # of the raw dumps
    output: str = str(LAST)  # where a model goes that was trained with the corrections and kept
    train: list[str] = field(default_factory=list)  # overrides for train.py, as in 'train=[data=small]'
    format: str = "labelstudio"  # or doccano
    file: str = ""  # to export to or import from
    overwrite: bool = False  # let an import replace labels that are there


def main(arguments: list[str]) -> int:
    """Exit code: 0, or 2 for a wrong input."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(__doc__ + "\n" + OmegaConf.to_yaml(OmegaConf.structured(Settings)), end="")
        return 0 if arguments else 2
    inputs, overrides = split_arguments(arguments)
    verb = inputs.pop(0) if inputs and inputs[0] in ("export", "import") else ""
    try:
        settings: Settings = OmegaConf.to_object(
            OmegaConf.merge(OmegaConf.structured(Settings), OmegaConf.from_dotlist(overrides))
        )  # type: ignore[assignment]
        if len(inputs) != 1:
            raise InputError("name one folder of dumps, as in python -m pilah.annotate my_dumps/")
        if settings.format not in FORMATS:
            raise InputError(f"there is no format '{settings.format}': say {' or '.join(FORMATS)}")
        if verb and not settings.file:
            raise InputError(f"name the file to {verb}, as in file=tasks.json")
        tagger, model = choose_model(settings.model)
        store = Store(Path(inputs[0]), tagger.labels, settings.encoding)
        if verb == "export":
            count, interface = export(store, settings.format, Path(settings.file))
            print(
                f"{count} dumps in {settings.file}" + f"\nlabelling interface: {interface}" * (settings.format == "labelstudio")
            )
        elif verb:
            print(f"{bring_in(store, settings.format, Path(settings.file), settings.overwrite)} dumps new or changed")
        else:
            serve(Desk(store, tagger), settings, model)
    except (InputError, OmegaConfBaseException) as error:
        print(f"pilah.annotate: {first_sentence(error)}", file=sys.stderr)
        return 2
    return 0


def serve(desk: Desk, settings: Settings, model: str) -> None:
    """Print the address and serve until interrupted."""
    try:
        import uvicorn

        from pilah.annotate.server import build_app
        from pilah.annotate.teach import Teacher
    except ImportError as error:
        raise InputError(f"the annotator needs {error.name}: pip install 'pilah[annotate]'") from None
    count = len(desk.store.names())
    if not count:
        raise InputError(f"{desk.store.folder} holds no dump: put the text of news pages into it, one *.txt per page")
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", settings.port))
        listener.listen()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"port {settings.port} cannot be used ({reason(error)}): say another, or port=0 for any free one"
        ) from None
    token = secrets.token_urlsafe(24)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/{token}/"
    print(address, flush=True)
    print(
        f"{count} dumps, model: {model}; whoever has this address can change them; end with Ctrl-C", file=sys.stderr, flush=True
    )
    if settings.open:
        webbrowser.open(address)
    app = build_app(desk, Teacher(desk, settings.train, Path(settings.output)), token)
    with suppress(KeyboardInterrupt):  # the way to end it
        uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
