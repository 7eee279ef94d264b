"""Who is let in: by the tokens of now, which may be others after a reload."""

import time
from collections.abc import Sequence

from ingest.access.authorization import is_empty, token_in
from ingest.access.client import ANONYMOUS, Client
from ingest.access.passes import Pass
from ingest.access.tokens import KnownTokens
from ingest.errors import Unauthorized


class Admission:
    """Whose a request is. ``allow_anonymous`` lets in who sends no token; without tokens all are anonymous.

    Once there are tokens they are only replaced by others, so that no reload opens the door.
    """

    def __init__(self, tokens: KnownTokens, *, allow_anonymous: bool) -> None:
        self.tokens = tokens
        self._allow_anonymous = allow_anonymous
        self._last_used: dict[str, float] = {}

    def last_used(self) -> dict[str, float]:
        """When a request came with each token last, by its name, in Unix seconds; 0 if none has since the start."""
        return {client.name: self._last_used.get(client.name, 0.0) for client in self.tokens.clients()}

    def client(self, authorization: Sequence[str], *, is_use: bool = True) -> Client:
        """Whose request it is that has these headers ``Authorization``. Raises Unauthorized.

        No use of the token is what was let in before and is only looked at again.
        """
        if not self.tokens:
            return ANONYMOUS
        if is_empty(authorization):
            if self._allow_anonymous:
                return ANONYMOUS
            raise Unauthorized("send a token: Authorization: Bearer TOKEN, or as the password of any user")
        token = token_in(authorization)
        client = self.tokens.client(token) if token else None
        if client is None:
            raise Unauthorized("the Authorization header holds no token that is known here")
        if is_use:
            self.uses(client)
        return client

    def pass_of(self, client: Client) -> Pass:
        """Lets ``client``, who was just let in, in again until the tokens are read again."""
        return _Pass(self, client)

    def uses(self, client: Client) -> None:
        """``client`` has come in."""
        if client is not ANONYMOUS:
            self._last_used[client.name] = time.time()


class _Pass:
    __slots__ = ("_admission", "_client", "_tokens")

    def __init__(self, admission: Admission, client: Client) -> None:
        self._admission = admission
        self._client = client
        self._tokens = admission.tokens

    def holds(self) -> bool:
        return self._admission.tokens is self._tokens

    def use(self) -> None:
        self._admission.uses(self._client)
