// Geocodes addresses at a provider on loopback that allows so many calls and then answers 429.
const http = require("http");
const say = (level, msg, more) => console.log(JSON.stringify({ time: new Date().toISOString(), level, msg, ...more }));
let calls = 0;
const provider = http.createServer((_, answer) => {
  calls++;
  if (calls > 30) {
    answer.writeHead(429, { "retry-after": "43200" });
    answer.end("daily quota of 30 requests exceeded");
  } else answer.end("52.1,8.3");
});
provider.listen(0, "127.0.0.1", () => {
  say("info", "geocoder started");
  let at = 0;
  const timer = setInterval(() => {
    if (++at > 80) { clearInterval(timer); provider.close(); return; }
    const order = 5000 + at;
    http.get({ host: "127.0.0.1", port: provider.address().port, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => answer.statusCode === 200
        ? say("info", "address located", { order })
        : say("error", `address not located: maps provider answered ${answer.statusCode}: ${text}`, { order }));
    });
  }, 300);
});
