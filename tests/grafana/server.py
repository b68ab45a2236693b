"""A local server that answers as Grafana's HTTP API is documented to, and refuses what the documentation does not know.

Written from Grafana's pages on the dashboard, dashboard versions, folder, data source and alerting provisioning APIs:
paths, methods, required fields, status codes and bodies. The list of plugins alone is not on those pages; it is as
grafana-client has it. Whatever else is asked is answered 404 and noted in `undocumented`. The server keeps what is
sent, adds what Grafana adds, and can be told to fail.
"""

import asyncio
import base64
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from tests.grafana.schemas import Schemas

TOKEN: Final = "glsa_a-token"
PASSWORD: Final = "an-admins"
ADMIN: Final = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
PLUGIN: Final = "grafana-clickhouse-datasource"
Json = dict[str, Any]


class GrafanaServer:
    """A context: a server on a free port of the loopback, in a thread of its own."""

    def __init__(self, schemas: Schemas | None = None, *, prefix: str = "") -> None:
        self.schemas = schemas
        self.version = "12.4.4"
        self.plugins = [{"id": PLUGIN, "type": "datasource"}]
        self.folders: dict[str, Json] = {}
        self.dashboards: dict[str, list[Json]] = {}
        self.provisioned: set[str] = set()
        self.rules: dict[str, Json] = {}
        self.intervals: dict[tuple[str, str], int] = {}
        self.contact_points: list[Json] = []
        self.templates: dict[str, Json] = {}
        self.data_sources: dict[str, Json] = {}
        self.writes: list[tuple[str, str]] = []
        self.undocumented: list[str] = []
        self.accounts: list[str] = []
        self.asked: list[str] = []
        self.fails_on = ""
        self.failing: dict[str, int] = {}
        """Status by the beginning of a path below /api."""
        self.hang_seconds = 0.0
        self.before_save: Callable[[], None] = lambda: None
        self._prefix = prefix
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.url = ""

    def __enter__(self) -> "GrafanaServer":
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def saved_by_somebody(self, uid: str, change: Callable[[Json], None]) -> None:
        """Somebody changes a dashboard in Grafana's pages."""
        newest = self.dashboards[uid][-1]
        data: Json = {**newest["data"]}
        change(data)
        self._save(data, newest["folderUid"], "", "alice")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app(), shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        site = web.TCPSite(runner, "127.0.0.1", 0)
        self._loop.run_until_complete(site.start())
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}{self._prefix}"
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._documented])
        provisioning = "/v1/provisioning"
        for method, path, handler in (
            ("GET", "/health", self._health),
            ("GET", "/plugins", self._get_plugins),
            ("GET", "/datasources/uid/{uid}", self._get_data_source),
            ("POST", "/datasources", self._post_data_source),
            ("PUT", "/datasources/uid/{uid}", self._put_data_source),
            ("GET", "/folders/{uid}", self._get_folder),
            ("GET", "/folders", self._get_folders),
            ("POST", "/folders", self._post_folder),
            ("GET", "/dashboards/uid/{uid}", self._get_dashboard),
            ("GET", "/dashboards/uid/{uid}/versions", self._get_versions),
            ("POST", "/dashboards/db", self._post_dashboard),
            ("POST", "/serviceaccounts", self._post_account),
            ("POST", "/serviceaccounts/{id}/tokens", self._post_token),
            ("DELETE", "/serviceaccounts/{id}", self._delete_account),
            ("POST", "/ds/query", self._post_query),
            ("GET", provisioning + "/alert-rules/{uid}", self._get_rule),
            ("GET", provisioning + "/folder/{folder}/rule-groups/{group}", self._get_group),
            ("PUT", provisioning + "/folder/{folder}/rule-groups/{group}", self._put_group),
            ("GET", provisioning + "/contact-points", self._get_contact_points),
            ("POST", provisioning + "/contact-points", self._post_contact_point),
            ("PUT", provisioning + "/contact-points/{uid}", self._put_contact_point),
            ("GET", provisioning + "/templates/{name}", self._get_template),
            ("PUT", provisioning + "/templates/{name}", self._put_template),
        ):
            app.router.add_route(method, f"{self._prefix}/api{path}", handler)
        return app

    @web.middleware
    async def _documented(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        path = request.path.removeprefix(f"{self._prefix}/api")
        if self.hang_seconds:
            await asyncio.sleep(self.hang_seconds)
        if request.match_info.http_exception is not None:
            self.undocumented.append(f"{request.method} {request.path}")
            return _message(404, "Not found")
        # Service accounts are made by a person, with a password.
        wanted = ADMIN if path.startswith("/serviceaccounts") else f"Bearer {TOKEN}"
        if path != "/health" and request.headers.get("Authorization") != wanted:
            return _message(401, "Invalid API key")
        for beginning, status in self.failing.items():
            if path.startswith(beginning):
                if status == 200:
                    return web.Response(text="<html>a proxy</html>", content_type="application/json")
                return _message(status, f"a status of {status}")
        if request.method != "GET":
            if request.content_type != "application/json":
                return _message(400, "bad request data")
            self.writes.append((request.method, path))
        return await handler(request)

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"commit": "abc", "database": "ok", "version": self.version})

    async def _get_plugins(self, _: web.Request) -> web.Response:
        return web.json_response(self.plugins)

    async def _get_data_source(self, request: web.Request) -> web.Response:
        found = self.data_sources.get(request.match_info["uid"])
        if found is None:
            return _message(404, "Data source not found")
        shown = {key: part for key, part in found.items() if key != "secureJsonData"}
        secure = dict.fromkeys(found.get("secureJsonData", {}), True)
        return web.json_response(
            {"id": 1, "orgId": 1, "readOnly": False, **shown, "secureJsonFields": secure}
        )

    async def _post_data_source(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not {"name", "type", "access"} <= set(body):
            return _message(400, "bad request data")
        if any(other["name"] == body["name"] for other in self.data_sources.values()):
            return _message(409, "data source with the same name already exists")
        self.data_sources[body["uid"]] = body
        return web.json_response(
            {"datasource": {}, "id": 1, "message": "Datasource added", "name": body["name"]}
        )

    async def _put_data_source(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.data_sources[request.match_info["uid"]] = body
        return web.json_response(
            {"datasource": {}, "id": 1, "message": "Datasource updated", "name": body["name"]}
        )

    async def _get_folder(self, request: web.Request) -> web.Response:
        found = self.folders.get(request.match_info["uid"])
        return (
            web.json_response({"id": 1, "version": 1, **found})
            if found
            else _message(404, "folder not found")
        )

    async def _get_folders(self, _: web.Request) -> web.Response:
        return web.json_response([{"id": 1, **folder} for folder in self.folders.values()])

    async def _post_folder(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not body.get("title") or set(body) - {"uid", "title", "parentUid"}:
            return _message(400, "bad request data")
        if body["uid"] in self.folders:
            return _message(409, "Folder already exists")
        self.folders[body["uid"]] = body
        return web.json_response({"id": 1, "version": 1, **body})

    async def _get_dashboard(self, request: web.Request) -> web.Response:
        uid = request.match_info["uid"]
        if uid not in self.dashboards:
            return _message(404, "Dashboard not found")
        newest = self.dashboards[uid][-1]
        meta = {"folderUid": newest["folderUid"], "provisioned": uid in self.provisioned}
        return web.json_response({"dashboard": newest["data"], "meta": meta})

    async def _get_versions(self, request: web.Request) -> web.Response:
        versions = self.dashboards.get(request.match_info["uid"])
        if versions is None:
            return _message(404, "Dashboard version not found")
        shown = [{k: v for k, v in each.items() if k not in ("data", "folderUid")} for each in versions]
        return web.json_response(shown[::-1])

    async def _post_dashboard(self, request: web.Request) -> web.Response:
        body = await request.json()
        if set(body) - {"dashboard", "folderUid", "message", "overwrite"} or not body["dashboard"].get(
            "title"
        ):
            return _message(400, "bad request data")
        if self.schemas is not None:
            self.schemas.check_dashboard(body["dashboard"])
        if body["folderUid"] not in self.folders:
            return _message(400, "folder not found")
        self.before_save()
        model = body["dashboard"]
        versions = self.dashboards.get(model["uid"])
        if model["uid"] in self.provisioned:
            return _message(400, "Cannot save provisioned dashboard")
        if versions and not body.get("overwrite"):
            if model.get("id") is None:
                return _message(412, "A dashboard with the same uid already exists", status="name-exists")
            if model.get("version") != versions[-1]["version"]:
                sentence = "The dashboard has been changed by someone else"
                return _message(412, sentence, status="version-mismatch")
        saved = self._save(model, body["folderUid"], body.get("message", ""), "sa-tokenweir")
        uid, version = model["uid"], saved["version"]
        return web.json_response(
            {"id": 7, "uid": uid, "url": f"/d/{uid}/x", "status": "success", "version": version, "slug": "x"}
        )

    def _save(self, model: Json, folder: str, message: str, who: str) -> Json:
        versions = self.dashboards.setdefault(model["uid"], [])
        number = len(versions) + 1
        data = {**model, "id": 7, "version": number}
        saved = {"id": number, "version": number, "message": message, "createdBy": who}
        versions.append({**saved, "data": data, "folderUid": folder})
        return versions[-1]

    async def _post_account(self, request: web.Request) -> web.Response:
        body = await request.json()
        if not body.get("name") or body.get("role") not in ("Viewer", "Editor", "Admin"):
            return _message(400, "bad request data")
        self.accounts.append(body["name"])
        return web.json_response({"id": 5, "name": body["name"], "role": body["role"]}, status=201)

    async def _post_token(self, request: web.Request) -> web.Response:
        body = await request.json()
        return web.json_response({"id": 7, "name": body["name"], "key": TOKEN})

    async def _delete_account(self, _: web.Request) -> web.Response:
        self.accounts.pop()
        return web.json_response({"message": "Service account deleted"})

    async def _post_query(self, request: web.Request) -> web.Response:
        body = await request.json()
        (query,) = body["queries"]
        if not {"from", "to"} <= set(body) or query["datasource"]["uid"] != "tokenweir-clickhouse":
            return _message(400, "bad request data")
        self.asked.append(query["rawSql"])
        if self.fails_on and self.fails_on in query["rawSql"]:
            failed = {"results": {query["refId"]: {"error": "Unknown column", "status": 400}}}
            return web.json_response(failed, status=400)
        return web.json_response({"results": {query["refId"]: {"status": 200, "frames": []}}})

    async def _get_rule(self, request: web.Request) -> web.Response:
        found = self.rules.get(request.match_info["uid"])
        return web.json_response(found) if found else _message(404, "")

    async def _get_group(self, request: web.Request) -> web.Response:
        place = (request.match_info["folder"], request.match_info["group"])
        if place not in self.intervals:
            return _message(404, "")
        return web.json_response(self._group(place))

    def _group(self, place: tuple[str, str]) -> Json:
        rules = [rule for rule in self.rules.values() if (rule["folderUID"], rule["ruleGroup"]) == place]
        return {"title": place[1], "folderUid": place[0], "interval": self.intervals[place], "rules": rules}

    async def _put_group(self, request: web.Request) -> web.Response:
        body = await request.json()
        place = (request.match_info["folder"], request.match_info["group"])
        if self.schemas is not None:
            self.schemas.check_alerting("RuleGroup", body)
        if (body["folderUid"], body["title"]) != place or place[0] not in self.folders:
            return _message(400, "invalid folder or group")
        receivers = {point["name"] for point in self.contact_points}
        for rule in body["rules"]:
            missing = {"condition", "data", "execErrState", "folderUID", "for", "noDataState", "orgID"} - set(
                rule
            )
            routed = rule.get("notification_settings", {}).get("receiver")
            if missing or (routed and routed not in receivers):
                return _message(400, f"invalid alert rule: {missing or routed}")
            if self.rules.get(rule["uid"], {}).get("provenance") == "file":
                return _message(400, "cannot change provenance from 'file' to 'api'")
        for uid in [
            uid for uid, rule in self.rules.items() if (rule["folderUID"], rule["ruleGroup"]) == place
        ]:
            del self.rules[uid]
        provenance = "" if request.headers.get("X-Disable-Provenance") == "true" else "api"
        for number, rule in enumerate(body["rules"]):
            self.rules[rule["uid"]] = {
                "id": number,
                "updated": "2026-11-26T00:00:00Z",
                "provenance": provenance,
                "record": None,
                **rule,
            }
        self.intervals[place] = body["interval"]
        return web.json_response(self._group(place))

    async def _get_contact_points(self, request: web.Request) -> web.Response:
        name = request.query.get("name")
        return web.json_response([p for p in self.contact_points if name in (None, p["name"])])

    async def _post_contact_point(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self.schemas is not None:
            self.schemas.check_alerting("ContactPoint", body)
        if body.get("type") == "email" and not body.get("settings", {}).get("addresses"):
            return _message(400, "could not find addresses in settings")
        self.contact_points.append({**body, "provenance": "api"})
        return web.json_response(body, status=202)

    async def _put_contact_point(self, request: web.Request) -> web.Response:
        body, uid = await request.json(), request.match_info["uid"]
        if all(point["uid"] != uid for point in self.contact_points):
            return _message(404, "contact point not found")
        self.contact_points = [p for p in self.contact_points if p["uid"] != uid]
        self.contact_points.append({**body, "provenance": "api"})
        return web.json_response({"message": "contactpoint updated"}, status=202)

    async def _get_template(self, request: web.Request) -> web.Response:
        found = self.templates.get(request.match_info["name"])
        return web.json_response(found) if found else _message(404, "")

    async def _put_template(self, request: web.Request) -> web.Response:
        body, name = await request.json(), request.match_info["name"]
        if set(body) - {"template", "version"} or not body.get("template"):
            return _message(400, "bad request data")
        there = self.templates.get(name, {}).get("version", "")
        if there and body.get("version") != there:
            return _message(409, "provided version does not match the current")
        self.templates[name] = {
            "name": name,
            "template": body["template"] + "\n",
            "provenance": "api",
            "version": str(hash(body["template"])),
        }
        return web.json_response(self.templates[name], status=202)


def _message(code: int, message: str, **more: str) -> web.Response:
    return web.json_response({"message": message, **more}, status=code)
