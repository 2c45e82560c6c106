"""Meets one fault of what is around it, without catching it: python3 cases.py CASE"""
import errno, os, resource, socket, ssl, sys, urllib.request, http.client, subprocess

def refused(): socket.create_connection(("127.0.0.1", 9))
def url_refused(): urllib.request.urlopen("http://127.0.0.1:9/charge")
def unresolved(): socket.create_connection(("db.prod.invalid", 5432))
def http_unresolved(): http.client.HTTPConnection("payments.invalid", 8080).request("GET", "/")
def timeout():
    server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
    urllib.request.urlopen("http://127.0.0.1:%d/" % server.getsockname()[1], timeout=0.3)
def reset():
    import struct
    server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
    client = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); peer.close()
    client.recv(1)
def full():
    with open("/dev/full", "w") as out: out.write("x" * 10); out.flush()
def denied(): open("/etc/shadow")
def in_use():
    first = socket.socket(); first.bind(("127.0.0.1", 18765)); first.listen()
    socket.socket().bind(("127.0.0.1", 18765))
def files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
    held = [open("/dev/null") for _ in range(100)]
def read_only(): open("/proc/sys/kernel/ostype.tmp", "w")
def memory():
    resource.setrlimit(resource.RLIMIT_AS, (90 << 20, 90 << 20))
    import mmap; mmap.mmap(-1, 1 << 30)
def certificate(): urllib.request.urlopen("https://localhost:18443/", timeout=3)
def untrusted():
    context = ssl.create_default_context()
    with socket.create_connection(("localhost", 18443)) as raw: context.wrap_socket(raw, server_hostname="localhost")
def own_lock(): raise TimeoutError("could not take the lock orders within 5 s")
def own_permission():
    class PermissionDenied(PermissionError): pass
    raise PermissionDenied("user 7 may not see order 12")
def own_key(): {}["timeout"]
def handler():
    try: refused()
    except OSError as fault: fault.host.upper()
globals()[sys.argv[1]]()
