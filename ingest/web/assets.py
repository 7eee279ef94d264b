"""Files that browsers get: read, hashed and compressed once, when first asked for."""

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_FOLDER = Path(__file__).parent / "assets"
_CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, as it goes out; ``etag`` is a weak one, for both encodings share it."""

    content: bytes
    gzipped: bytes
    content_type: str
    etag: str


class Assets:
    """The page's own files, and the chart library's script from its package."""

    def __init__(self) -> None:
        files = [path for path in _FOLDER.iterdir() if path.suffix in _CONTENT_TYPES]
        self._paths = {path.name: path for path in (*files, _plotly())}
        self._loaded: dict[str, Asset] = {}
        self._loading = asyncio.Lock()

    async def get(self, name: str) -> Asset | None:
        """The file of that name, if there is one."""
        if name not in self._paths:
            return None
        async with self._loading:
            if name not in self._loaded:
                # Plotly's 5 MB take a third of a second.
                self._loaded[name] = await asyncio.to_thread(_load, self._paths[name])
        return self._loaded[name]


def _plotly() -> Path:
    # Found without importing the package, which is large and of no use to the service.
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package plotly is not installed; run make install")
    return Path(spec.submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def _load(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.blake2b(content, digest_size=12).hexdigest()
    return Asset(content, gzip.compress(content, 6, mtime=0), _CONTENT_TYPES[path.suffix], f'W/"{digest}"')
