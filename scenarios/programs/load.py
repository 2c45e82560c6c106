"""Asks a URL's paths over and over. python3 load.py URL SECONDS RATE [CANCELED]"""
import http.client, random, sys, threading, time, urllib.parse

url = urllib.parse.urlparse(sys.argv[1])
seconds, rate = float(sys.argv[2]), float(sys.argv[3])
canceled = float(sys.argv[4]) if len(sys.argv) > 4 else 0
dice = random.Random(3)
paths = ["/", "/catalog?page=2", "/catalog", "/cart", "/img/logo.png", "/account"]
odd = ["/favicon.ico", "/robots.txt", "/old-page", "/wp-login.php", "/.env"]


def ask():
    try:
        call = http.client.HTTPConnection(url.hostname, url.port, timeout=4)
        path = dice.choice(odd if dice.random() < 0.12 else paths)
        if dice.random() < canceled:
            path = "/slow"
            call.timeout = 0.1
        call.request("GET", path, headers={"User-Agent": dice.choice(["Mozilla/5.0", "okhttp/4.9", "curl/8.1"])})
        call.getresponse().read()
    except OSError:
        pass


began = time.monotonic()
while time.monotonic() - began < seconds:
    threading.Thread(target=ask, daemon=True).start()
    time.sleep(dice.expovariate(rate))
time.sleep(0.3)
