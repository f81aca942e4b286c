"""peers.py: the programs that libepi is measured beside, as they come with
Debian, with two workers or threads where that can be set, and without logs."""
import pathlib
import shlex

from measure.subjects import REVERSE, SOCKS5, SOCKS6, Subject
from support import flow, socksx

STREAM = "/usr/lib/nginx/modules/ngx_stream_module.so"

NGINX = """
daemon off; worker_processes 2; worker_rlimit_nofile 20000; user root;
pid {folder}/pid; error_log /dev/null; {load}
events {{ worker_connections 10000; }}
{block}
"""
NGINX_STREAM = """
stream {{ server {{ listen {host}:{port} backlog=4096;
  proxy_pass {origin}; tcp_nodelay on; }} }}
"""
NGINX_HTTP = """
http {{ access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream origin {{ server {origin}; {pool} }}
  server {{ listen {host}:{port} backlog=4096;
    location / {{ proxy_pass http://origin; proxy_max_temp_file_size 0;
      {headers} }} }} }}
"""
HAPROXY = """
global
  nbthread 2
  maxconn 9700
  maxpipes 200
  {tuning}
defaults
  mode tcp
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  {splice}
frontend in
  bind {host}:{port} backlog 4096
  default_backend out
backend out
  server origin {origin}
"""
DANTE = """
logoutput: /dev/null
internal: {host} port = {port}
external: {external}
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 command: connect }}
"""


def _config(text, place, port, origin, **more):
    """A file in a folder of its own, the placeholders filled in."""
    folder = flow.folder()
    path = folder / "config"
    path.write_text(text.format(host=place.host, port=port, origin=origin,
                                folder=folder, **more))
    return path


def nginx_command(config):
    return [flow.need("nginx"), "-p", config.parent, "-c", config]


def nginx(place, origin, block, load="", **more):
    port = place.port()
    if load and not pathlib.Path(STREAM).exists():
        flow.skip("libnginx-mod-stream is not installed")
    config = _config(NGINX.replace("{block}", block), place, port, origin,
                     load=load, **more)
    command = nginx_command(config)
    return port, [place.start(*command, port=port, host=place.host)]


def nginx_stream(place, origin):
    return nginx(place, origin, NGINX_STREAM, f"load_module {STREAM};")


def nginx_http(place, origin):
    return nginx(place, origin, NGINX_HTTP, pool="", headers="")


def nginx_pool(place, origin):
    return nginx(place, origin, NGINX_HTTP, pool="keepalive 64;",
                 headers='proxy_http_version 1.1;'
                         ' proxy_set_header Connection "";')


def haproxy(place, origin, splice="", tuning=""):
    port, command = place.port(), flow.need("haproxy")
    config = _config(HAPROXY, place, port, origin, splice=splice,
                     tuning=tuning)
    return port, [place.start(command, "-db", "-f", config, port=port)]


SPLICE = "option splice-request\n  option splice-response"


def haproxy_splice(place, origin):
    return haproxy(place, origin, SPLICE)


def haproxy_large_pipes(place, origin):
    return haproxy(place, origin, SPLICE, "tune.pipesize 1048576")


def dante(place, origin):
    port, command = place.port(), flow.need("danted")
    config = _config(DANTE, place, port, origin, external=place.host)
    return port, [place.start(command, "-N", "2", "-f", config, "-p",
                              config.parent / "pid", port=port)]


def microsocks(place, origin):
    port, command = place.port(), flow.need("microsocks")
    return port, [place.start(command, "-i", place.host, "-p", port,
                              port=port)]


def threeproxy(place, origin):
    port, command = place.port(), flow.need("3proxy")
    config = _config("maxconn 10000\nauth none\nsocks -i{host} -p{port} -s\n",
                     place, port, origin)
    return port, [place.start(command, config, port=port)]


def socksx_peer(place, origin):
    port = place.port()
    return port, [place.start(socksx.need(), "-h", place.host, "-p", port,
                              "-s", "5", "-l", "0", port=port)]


def reverse():
    return [Subject("nginx stream", REVERSE, nginx_stream),
            Subject("nginx http", REVERSE, nginx_http),
            Subject("nginx http, pool", REVERSE, nginx_pool),
            Subject("HAProxy", REVERSE, haproxy),
            Subject("HAProxy, splice", REVERSE, haproxy_splice)]


def for_bulk():
    """Set up for bulk alone."""
    return [Subject("HAProxy, splice, 1 MiB pipes", REVERSE,
                    haproxy_large_pipes)]


def socks():
    return [Subject("dante", SOCKS5, dante),
            Subject("microsocks", SOCKS5, microsocks),
            Subject("3proxy, splice", SOCKS5, threeproxy)]


def _method(text):
    """The method in front of what --peer names, SOCKS 5 if there is none."""
    for method in (REVERSE, SOCKS5, SOCKS6):
        if text.startswith(method + ":"):
            return method, text[len(method) + 1:]
    return SOCKS5, text


def _commanded(words):
    def starts(place, origin):
        port = place.port()
        command = [word.replace("{port}", str(port))
                   .replace("{host}", place.host)
                   .replace("{origin}", origin) for word in words]
        flow.need(command[0])
        return port, [place.start(*command, port=port)]
    return starts


def is_elsewhere(text):
    """1 if --peer names a program that runs already."""
    host, colon, port = _method(text.partition("=")[2])[1].rpartition(":")
    return int(bool(colon) and port.isdigit() and " " not in host)


def named(text):
    """A peer as --peer has it: NAME=[METHOD:]HOST:PORT, a program that runs;
    NAME=[METHOD:]COMMAND, with {host}, {port} and {origin}; or socksx."""
    if text == "socksx":
        return Subject("socksx", SOCKS5, socksx_peer)
    name, equals, what = text.partition("=")
    method, what = _method(what)
    if not equals or not name or not what:
        raise ValueError(f"--peer {text}: neither NAME=HOST:PORT nor"
                         " NAME=COMMAND")
    if is_elsewhere(text):
        host, _, port = what.rpartition(":")
        subject = Subject(name, method, host=host)
        subject.port = int(port)
        return subject
    words = shlex.split(what)
    if not any("{port}" in word for word in words):
        raise ValueError(f"--peer {text}: the command has no {{port}}")
    return Subject(name, method, _commanded(words))
