"""A booking service whose two locks are taken in two orders: after so many seconds it stands still.
It says nothing more; the prober that runs beside it does.

python3 booking.py serve PORT DEADLOCK_AFTER SECONDS | python3 booking.py probe PORT SECONDS
"""
import http.server, logging, os, socketserver, sys, threading, time, urllib.request

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s")
log = logging.getLogger()
seats, ledger = threading.Lock(), threading.Lock()
BEGAN = time.monotonic()


def serve(port, after, seconds):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            with ledger:
                pass
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    threading.Thread(target=Server(("127.0.0.1", port), Handler).serve_forever, daemon=True).start()

    def book(first, second, name):
        at = 0
        while True:
            at += 1
            late = time.monotonic() - BEGAN > after
            # The wrong order is taken from some request on only, as a rare path would take it.
            one, two = (first, second) if late else (seats, ledger)
            with one:
                time.sleep(0.1 if late else 0)
                with two:
                    log.info("%s %d done", name, at)
            time.sleep(0.5)

    threading.Thread(target=book, args=(seats, ledger, "booking"), daemon=True).start()
    threading.Thread(target=book, args=(ledger, seats, "refund"), daemon=True).start()
    time.sleep(seconds)
    os._exit(0)


def probe(port, seconds):
    failed = 0
    while time.monotonic() - BEGAN < seconds:
        time.sleep(1)
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=0.5).read()
            failed = 0
            log.info("probe of booking: 200")
        except OSError as fault:
            failed += 1
            log.warning("probe of booking failed %d times in a row: %s", failed, fault)
    os._exit(0)


numbers = [float(word) for word in sys.argv[2:]]
{"serve": lambda: serve(int(numbers[0]), *numbers[1:]), "probe": lambda: probe(int(numbers[0]), *numbers[1:])}[sys.argv[1]]()
