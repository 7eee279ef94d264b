"""The routes of the built-in page: ``/view_sensor``, its files, and ``/``, which leads there."""

from http import HTTPStatus

from aiohttp import web

from ingest.routes.answers import in_pieces
from ingest.web.assets import Asset, Assets

PAGE = "/view_sensor"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # Plotly draws with style attributes and a style element.
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Browsers ask again each time, and are told mostly that nothing has changed: no file outlives an upgrade.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}


class WebRoutes:
    """Serves what is in ``ingest/web/assets``; the page itself asks the other routes for events."""

    def __init__(self) -> None:
        self._assets = Assets()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.get_root),
            web.get(PAGE, self.get_page),
            web.get("/assets/{name}", self.get_asset),
        ]

    async def get_root(self, _: web.Request) -> web.Response:
        """To the page, which is what a browser at the bare address wants."""
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": PAGE})

    async def get_page(self, request: web.Request) -> web.StreamResponse:
        """The page; what it shows is in the query, which only its script reads."""
        return await self._answer(request, "index.html")

    async def get_asset(self, request: web.Request) -> web.StreamResponse:
        """One of the page's files."""
        return await self._answer(request, request.match_info["name"])

    async def _answer(self, request: web.Request, name: str) -> web.StreamResponse:
        asset = await self._assets.get(name)
        if asset is None:
            raise web.HTTPNotFound
        headers = _HEADERS | {"ETag": asset.etag}
        if asset.etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        return await _full(request, asset, headers | {"Content-Type": asset.content_type})


async def _full(request: web.Request, asset: Asset, headers: dict[str, str]) -> web.StreamResponse:
    if "gzip" in request.headers.get("Accept-Encoding", "").lower():
        return await in_pieces(request, asset.gzipped, headers | {"Content-Encoding": "gzip"})
    return await in_pieces(request, asset.content, headers)
