"""A route that sends bytes from memory: the shortest possible time of a response over HTTP.

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
    """Return an application that responds to POST /<name> with the file <name>.json."""
    responses = {file.stem: file.read_bytes() for file in directory.glob("*.json")}

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def send(request: Request) -> Response:
        return Response(responses[request.path_params["name"]], media_type="application/json")

    return Starlette(routes=[Route("/healthz", healthz), Route("/{name}", send, methods=["POST"])])


def main(port: str, directory: str) -> None:
    """Serve with the same options of uvicorn as this server."""
    uvicorn.run(create_app(Path(directory)), port=int(port), log_level="info", server_header=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
