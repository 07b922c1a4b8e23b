"""API and dashboard as `make serve` runs them, asked as another system asks."""

from functools import cached_property
from typing import Any, Final

import httpx

from tests.serving.server.running import Running

SCORE: Final = "/v1/applications/score"


class Served:
    """A pair of servers that runs, and the key that its first start has printed."""

    def __init__(self, running: Running) -> None:
        self.pages = running.pages
        self.running = running

    def make_key(self, owner: str) -> str:
        return self.running.make_key(owner, "score", "read", "decide", "help", "admin")

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.running.key}"}

    def get(self, path: str) -> Any:
        return self._ask("GET", path)

    def post(self, path: str, **more: Any) -> Any:
        return self._ask("POST", path, **more)

    @cached_property
    def example(self) -> dict[str, Any]:
        return dict(self.get("/v1/schema/application")["example"])

    def decide(self, **changes: Any) -> dict[str, Any]:
        return dict(self.post(SCORE, json=self.example | changes))

    def find_decision(self, decision_id: str) -> dict[str, Any]:
        return dict(self.get(f"/v1/decisions/{decision_id}"))

    def _ask(self, method: str, path: str, headers: Any = None, **more: Any) -> Any:
        url = f"{self.running.url}{path}"
        all_headers = self._headers | (headers or {})
        answer = httpx.request(method, url, headers=all_headers, timeout=60, **more)
        return answer.raise_for_status().json()
