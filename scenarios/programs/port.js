// A server whose port another one has.
const http = require("http");
const say = (msg) => console.log(`${new Date().toISOString()} info web: ${msg}`);
say("starting, version 2.4.1");
say("configuration read from /etc/web/config.json");
http.createServer((_, a) => a.end()).listen(Number(process.argv[2]), "127.0.0.1", () => say("listening"));
