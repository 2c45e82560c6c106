"""A sample shop: HTTP server on loopback, SQLite, and clients that really ask it. Its faults are
switched on by name after so many seconds: --fault keyerror@20.

python3 shop.py --seconds 40 --rate 8 [--json] [--commit SHA] [--fault NAME@SECONDS]...
"""
import argparse, datetime, http.client, http.server, json, logging, random, socket, socketserver
import sqlite3, sys, threading, time, urllib.request

ask = argparse.ArgumentParser()
ask.add_argument("--name", default="shop")
ask.add_argument("--seconds", type=float, default=40)
ask.add_argument("--rate", type=float, default=8)
ask.add_argument("--json", action="store_true")
ask.add_argument("--commit")
ask.add_argument("--quiet-access", action="store_true")
ask.add_argument("--debug", action="store_true")
ask.add_argument("--fault", action="append", default=[])
ask.add_argument("--seed", type=int, default=1)
have = ask.parse_args()
FAULTS = {name: float(since) for name, since in (fault.split("@") for fault in have.fault)}
BEGAN = time.monotonic()
DICE = random.Random(have.seed)
STALL = socket.create_server(("127.0.0.1", 0))   # a neighbour that takes calls and never answers


def broken(name):
    return name in FAULTS and time.monotonic() - BEGAN >= FAULTS[name]


class AsJson(logging.Formatter):
    def format(self, record):
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        line = {"time": at, "level": record.levelname.lower(), "service": have.name, "msg": record.getMessage()}
        if have.commit:
            line["commit"] = have.commit
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(AsJson() if have.json else logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
logging.basicConfig(level=logging.DEBUG if have.debug else logging.INFO, handlers=[handler])
log = logging.getLogger(have.name)

db = sqlite3.connect(":memory:", check_same_thread=False)
db.execute("create table orders (id integer primary key, who text, cents integer)")
lock = threading.Lock()


class Invalid(Exception):
    pass


class PartnerError(Exception):
    pass


def catalog(asked):
    if "chaos" in FAULTS:
        try:
            if DICE.random() < 0.3:
                raise ConnectionResetError("chaos monkey: injected fault")
        except ConnectionResetError:
            log.debug("injected fault survived, answering from the cache", exc_info=True)
    return 200


def cart(asked):
    coupon = asked.get("coupon")
    if broken("keyerror") and coupon:
        return 200 if PRICES[coupon] else 200
    return 200


PRICES = {"WINTER": 10}


def login(asked):
    if "@" not in asked.get("email", "@"):
        raise Invalid(f"email is not an address: {asked['email']!r}")
    return 200


def checkout(asked):
    cents = DICE.randint(500, 20000)
    bad = 0.7 if broken("declined") else 0.03
    declined = DICE.random() < bad
    word = "declined" if declined else "approved"
    if "declined" in FAULTS:
        extra = {"result": word, "amount_cents": cents, "acquirer": "north"}
        log.info("payment processed", extra={"fields": extra})
    if broken("timeout"):
        with socket.create_connection(STALL.getsockname(), timeout=0.3) as call:
            call.sendall(b"GET /stock HTTP/1.1\r\n\r\n")
            call.recv(1)
    if broken("dns"):
        urllib.request.urlopen("http://inventory.shop.internal:8080/reserve", timeout=2)
    if "partner" in FAULTS and DICE.random() < 0.18:
        try:
            raise PartnerError("loyalty partner answered 503 Service Unavailable")
        except PartnerError:
            log.error("points not booked now, the nightly job books them", exc_info=True)
    if "retry" in FAULTS and DICE.random() < 0.3:
        try:
            raise ConnectionResetError(104, "Connection reset by peer")
        except ConnectionResetError:
            log.warning("attempt 1 of 3 to reach the tax service failed, trying again", exc_info=True)
        log.info("attempt 2 of 3 to reach the tax service succeeded")
    with lock:
        column = "gross_cents" if broken("schema") else "cents"
        db.execute(f"insert into orders (who, {column}) values (?, ?)", (asked.get("who", "anna"), cents))
    return 200


def orders(asked):
    if "slow" in FAULTS:
        growing = 40000 if broken("slow") else 5
        with lock:
            db.executemany("insert into orders (who, cents) values (?, 1)", [("anna",)] * growing)
            db.execute("select a.who, sum(a.cents) from orders a where lower(a.who) like '%a%' "
                       "and a.cents > (select min(b.cents) - 1 from orders b) group by a.who").fetchall()
    if "hiccups" in FAULTS and DICE.random() < 0.1:
        log.error("cart %d not cached: store busy", DICE.randint(1000, 9999))
    if broken("storm"):
        for at in range(80):
            log.error("cart %d not cached: unknown type tag 0x7f in CartV2", DICE.randint(1000, 9999))
    return 200


ROUTES = {"/catalog": catalog, "/cart": cart, "/login": login, "/checkout": checkout, "/orders": orders}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        began = time.monotonic()
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        status = self.answer(asked)
        took = (time.monotonic() - began) * 1000
        try:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()
        except (BrokenPipeError, ConnectionResetError):
            log.info("client went away during %s, request canceled", self.path)
            return
        if have.quiet_access:
            return
        fields = {"method": "POST", "path": self.path, "status": status, "duration_ms": round(took, 1)}
        if have.json:
            log.info("request", extra={"fields": fields})
        else:
            log.info("POST %s %d %.1fms", self.path, status, took)

    def answer(self, asked):
        route = ROUTES.get(self.path)
        if not route:
            return 404
        if broken("spike") and DICE.random() < 0.8:
            log.error("cart %d not cached: unknown type tag 0x7f in CartV2", DICE.randint(1000, 9999))
        try:
            return route(asked)
        except Invalid as fault:
            log.warning("rejected: %s", fault)
            return 400
        except Exception:
            log.exception("unhandled error in POST %s", self.path)
            return 500

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


server = Server(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
log.info("listening on %s, commit %s", server.server_port, have.commit or "unknown")


def body(path):
    if path == "/cart":
        return {"coupon": DICE.choice(["WINTER", None, None, "SPRING"])}
    if path == "/login":
        wrong = DICE.random() < (0.7 if "validation" in FAULTS else 0.03)
        return {"email": DICE.choice(["anna", "root", "' or 1=1"]) if wrong else "anna@example.org"}
    return {"who": DICE.choice(["anna", "bo", "carl"])}


def request(path):
    call = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    call.request("POST", path, json.dumps(body(path)))
    if "cancel" in FAULTS and DICE.random() < 0.1:
        call.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        call.close()
        return
    call.getresponse().read()


while time.monotonic() - BEGAN < have.seconds:
    path = DICE.choice(["/catalog"] * 4 + ["/cart"] * 2 + ["/login", "/checkout", "/orders"])
    if "scanner" in FAULTS and DICE.random() < 0.3:
        path = DICE.choice(["/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/", "/cgi-bin/test", "/admin.php?id=1%27"])
    threading.Thread(target=request, args=(path,), daemon=True).start()
    time.sleep(DICE.expovariate(have.rate))
time.sleep(0.4)
log.info("SIGTERM received, finishing open requests")
log.info("bye")
