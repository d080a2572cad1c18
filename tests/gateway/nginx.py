"""The gateway of the tests: nginx, set up by what `deploy/kong.yml` says, so that the two can't disagree.

Routes, body sizes, forwarded headers, the request's id, the limit of requests and retries are taken over; anything in
the file that this module does not know is an error.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live import ROOT, wait_for
from tests.servers import free_port

KONG = ROOT / "deploy" / "kong.yml"
_ROUTE_KEYS = {"name", "paths", "strip_path", "preserve_host", "plugins"}
_SERVICE_KEYS = {"name", "url", "connect_timeout", "read_timeout", "write_timeout", "retries", "routes"}


def declared() -> dict[str, Any]:
    """What kong.yml says."""
    found: dict[str, Any] = yaml.safe_load(KONG.read_text())
    return found


@contextmanager
def gateway(folder: Path, *ports: int, per_minute: int | None = None) -> Iterator[str]:
    """Its address, while it passes requests on to Athenas on these ports. `per_minute` is for tests of the limit."""
    binary = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if binary is None:
        pytest.skip("There is no nginx (apt install nginx-light; brew install nginx).")
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(_config(declared(), folder, port, ports, per_minute))
    process = subprocess.Popen([binary, "-p", folder, "-c", config, "-e", folder / "error.log"])
    try:
        wait_for(lambda: _listens(process, port), "nginx")
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait()


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    import socket

    assert process.poll() is None, "nginx ended"
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _config(kong: Mapping[str, Any], folder: Path, port: int, ports: Sequence[int], per_minute: int | None) -> str:
    (service,) = kong["services"]
    assert set(service) == _SERVICE_KEYS, service
    plugins = {plugin["name"]: plugin["config"] for plugin in kong["plugins"]}
    assert set(plugins) == {"rate-limiting", "correlation-id"}
    limit, request_id = plugins["rate-limiting"], plugins["correlation-id"]["header_name"]
    assert limit["limit_by"] == "ip"
    calls = per_minute or limit["minute"]
    upstreams = "".join(f"server 127.0.0.1:{each} max_fails=0;" for each in ports)
    locations = "".join(_location(route, service, request_id) for route in service["routes"])
    return f"""
        daemon off; worker_processes 1; pid {folder}/nginx.pid;
        {"user root;" if os.getuid() == 0 else ""}
        events {{ worker_connections 512; }}
        http {{
            access_log off;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            limit_req_zone $binary_remote_addr zone=calls:1m rate={calls}r/m;
            limit_req zone=calls burst={calls} nodelay; limit_req_status 429;
            upstream athena {{ {upstreams} keepalive 16; }}
            server {{ listen 127.0.0.1:{port}; {locations} }}
        }}"""


def _location(route: Mapping[str, Any], service: Mapping[str, Any], request_id: str) -> str:
    assert set(route) <= _ROUTE_KEYS, route
    assert route["strip_path"] is False
    lines = []
    for plugin in route["plugins"]:
        settings = plugin["config"]
        if plugin["name"] == "request-termination":
            lines.append(f"return {settings['status_code']};")
        else:
            assert (plugin["name"], settings["size_unit"]) == ("request-size-limiting", "megabytes")
            lines.append(f"client_max_body_size {settings['allowed_payload_size']}m;")
    if not any(line.startswith("return") for line in lines):
        assert route["preserve_host"] is True
        lines.append(f"""
            proxy_pass http://athena; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header {request_id} $request_id;
            proxy_connect_timeout {service["connect_timeout"]}ms; proxy_read_timeout {service["read_timeout"]}ms;
            proxy_send_timeout {service["write_timeout"]}ms;
            proxy_next_upstream error timeout; proxy_next_upstream_tries {service["retries"] + 1};""")
    return "".join(f"location {path} {{ {' '.join(lines)} }} " for path in route["paths"])
