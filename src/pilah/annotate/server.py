"""The web server of the annotator: own pages only, for the one who has the address, on this machine only."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pilah.annotate.desk import DOUBTFUL, Desk
from pilah.annotate.store import ConflictError, MissingError
from pilah.annotate.teach import Teacher
from pilah.labels import LabelSet
from pilah.page import InputError

HERE = Path(__file__).parent
FILES = {"": "app.html", "app.css": "app.css", "app.js": "app.js"}
KEYS = {"pick": "k"}
"""Keys that a label has by custom; any other label takes its first free letter."""
TAKEN = "acghnu"
"""Letters with another meaning on the page."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets a request through if it was sent to this machine by name, by our own page, with the token in its path.

    The host is checked because a foreign name may be made to point here; the origin because any page that the browser
    shows may send requests here. Everything else is 403.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or hand on."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self.app if scope["type"] == "http" and self.allows(scope) else PlainTextResponse("403: not allowed\n", 403)
        await app(scope, receive, send_guarded)

    def allows(self, scope: Scope) -> bool:
        """Whether host, origin and token are ours."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        token = scope["path"].split("/", 2)[1] if scope["path"].startswith("/") else ""
        return (
            name in ("127.0.0.1", "localhost")
            and origin in (None, f"http://{host}")
            and secrets.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
        )


def label_keys(labels: LabelSet) -> dict[str, str]:
    """One key for each label.

    >>> label_keys(LabelSet("six", ["body", "related", "popular", "pick", "latest", "other"]))
    {'body': 'b', 'related': 'r', 'popular': 'p', 'pick': 'k', 'latest': 'l', 'other': 'o'}
    """
    found: dict[str, str] = {}
    for label in labels.names:
        wanted = KEYS.get(label, "") + label.lower() + "bdefijklmopqrstvwxyz"
        found[label] = next((c for c in wanted if c.isalpha() and c not in TAKEN and c not in found.values()), "")
    return found


def build_app(desk: Desk, teacher: Teacher, token: str) -> ASGIApp:
    """The application; every path begins with the token."""
    labels = desk.store.labels
    keys = label_keys(labels)
    shown = {name: list(dict.fromkeys(labels.printed(role) for role in labels.roles_of(name))) for name in labels.names}
    about = {
        "folder": str(desk.store.folder),
        "labels": [{"name": name, "key": keys[name], "roles": shown[name]} for name in labels.names],
        "opener": labels.opener,
        "doubtful": DOUBTFUL,
    }

    async def page(request: Request) -> Response:
        return FileResponse(HERE / FILES[request.url.path.rpartition("/")[2]])

    def dumps(request: Request) -> Response:
        return JSONResponse({**about, "dumps": [asdict(entry) for entry in desk.entries()]})

    def one(request: Request) -> Response:
        return JSONResponse(desk.open(request.path_params["name"]))

    async def save(request: Request) -> Response:
        try:
            body = await request.json()
            version, rows = str(body["version"]), list(body["rows"])
        except (ValueError, KeyError, TypeError):
            raise InputError('expected {"version": ..., "rows": [[line, label, role], ...]}') from None

        def kept() -> dict[str, Any]:
            name = request.path_params["name"]
            return desk.noted(name, desk.store.save(name, version, rows))

        return JSONResponse(await run_in_threadpool(kept))

    def training(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(teacher.status())
        return JSONResponse(teacher.keep() if request.url.path.endswith("keep") else teacher.start())

    def refused(status: int) -> Any:
        return lambda request, error: JSONResponse({"error": str(error)}, status)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        desk.start()
        yield
        teacher.stop()

    routes = [
        *(Route(f"/{path}", page) for path in FILES),
        Route("/api/dumps", dumps),
        Route("/api/dump/{name:path}", one, methods=["GET"]),
        Route("/api/dump/{name:path}", save, methods=["POST"]),
        Route("/api/train", training, methods=["GET", "POST"]),
        Route("/api/train/keep", training, methods=["POST"]),
    ]
    handlers = {MissingError: refused(404), ConflictError: refused(409), InputError: refused(400)}
    app = Starlette(routes=[Mount(f"/{token}", routes=routes)], exception_handlers=handlers, lifespan=lifespan)
    return Guard(app, token)
