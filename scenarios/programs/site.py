"""An upstream for nginx and HAProxy: known paths, 404 for others, /slow takes its time.
python3 site.py PORT"""
import http.server, socketserver, sys, time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.path.split("?")[0] in ("/", "/catalog", "/cart", "/img/logo.png", "/account", "/slow", "/health")
        if self.path == "/slow":
            time.sleep(1)
        body = b"ok\n" * (200 if known else 1)
        self.send_response(200 if known else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    allow_reuse_address = True


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
