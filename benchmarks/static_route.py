"""A route that sends bytes it has: the least that any answer over HTTP costs here.

python -m benchmarks.static_route PORT DIRECTORY
"""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def create_app(directory: Path) -> Starlette:
    """Return an application that answers POST /<name> with the bytes of the file <name>.json."""
    answers = {file.stem: file.read_bytes() for file in directory.glob("*.json")}

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def send(request: Request) -> Response:
        return Response(answers[request.path_params["name"]], media_type="application/json")

    return Starlette(routes=[Route("/healthz", healthz), Route("/{name}", send, methods=["POST"])])


def main(port: str, directory: str) -> None:
    """Serve with the options that the server itself gives uvicorn."""
    uvicorn.run(create_app(Path(directory)), port=int(port), log_level="info", server_header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
