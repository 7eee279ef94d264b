"""The route that describes the others: ``/openapi.yaml``, a file beside this one."""

from importlib.resources import files

from aiohttp import web

PATH = "/openapi.yaml"


class OpenApiRoutes:
    """Serves the description as it is in the repository; a test holds it to the routes."""

    def __init__(self) -> None:
        self._description = files("ingest.routes").joinpath("openapi.yaml").read_bytes()

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.get_description)]

    async def get_description(self, _: web.Request) -> web.Response:
        """OpenAPI 3.1."""
        return web.Response(body=self._description, content_type="application/yaml", charset="utf-8")
