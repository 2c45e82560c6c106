// Asks its identity provider over TLS for fresh keys. Its certificate expired. $1: folder with
// key.pem and cert.pem (expired), made by make.sh.
const fs = require("fs"), https = require("https");
const dir = process.argv[2];
const say = (level, msg) => console.log(`${new Date().toISOString()} ${level} [tokens] ${msg}`);
const server = https.createServer(
  { key: fs.readFileSync(dir + "/key.pem"), cert: fs.readFileSync(dir + "/cert.pem") },
  (_, answer) => answer.end("{}"));
server.listen(0, "127.0.0.1", () => {
  const port = server.address().port;
  say("INFO", "token service started");
  let round = 0;
  const timer = setInterval(() => {
    if (++round > 60) { clearInterval(timer); server.close(); return; }
    if (round % 4) { say("INFO", `verified token of session ${1000 + round}`); return; }
    https.get({ host: "127.0.0.1", port, servername: "id.example.org", ca: fs.readFileSync(dir + "/cert.pem"), agent: false }, (r) => r.resume())
      .on("error", (fault) => say("ERROR", `refresh of keys from https://id.example.org failed: ${fault.code} ${fault.message}`));
  }, 350);
});
