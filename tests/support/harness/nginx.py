"""A real nginx in front of a daemon: TLS, the daemon below a path, buffering on, with the lines of docs/proxy.md."""

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess

from harness.waiting import wait_until

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
# Where the documented lines show the daemon.
PLACE = "/db-7"


def documented_lines():
    with open(os.path.join(os.environ["WRITECANARY_SOURCE"], "docs", "proxy.md"), encoding="utf-8") as file:
        [block] = re.findall(r"^```nginx\n(.*?)^```", file.read(), re.DOTALL | re.MULTILINE)
    return block


@contextlib.contextmanager
def running_nginx(directory, port, daemon_port, certificate, more=""):
    """On 127.0.0.1; `certificate` is (certificate, key). `more` are further locations."""
    lines = (documented_lines() + more).replace("127.0.0.1:9743", f"127.0.0.1:{daemon_port}")
    temporary = "\n".join(f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path, log = os.path.join(directory, "nginx.conf"), os.path.join(directory, "nginx.log")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"""{"user root;" if os.geteuid() == 0 else ""}
daemon off;
pid {directory}/nginx.pid;
error_log {log};
events {{}}
http {{
{temporary}
access_log off;
proxy_buffering on;
server {{
listen 127.0.0.1:{port} ssl;
ssl_certificate {certificate[0]};
ssl_certificate_key {certificate[1]};
{lines}
}}
}}
""")
    process = subprocess.Popen([NGINX, "-c", path, "-e", log])
    try:
        wait_until(lambda: listens(process, port, log), 20, "nginx to listen")
        yield
    finally:
        process.terminate()
        process.wait(20)


def listens(process, port, log):
    if process.poll() is not None:
        with open(log, encoding="utf-8", errors="replace") as file:
            raise AssertionError(f"nginx ended with {process.returncode}:\n{file.read()}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False
