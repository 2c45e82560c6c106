// A mailer: a template that was renamed is asked for, and nobody awaits the promise.
const say = (level, msg, more) =>
  console.log(JSON.stringify({ time: new Date().toISOString(), level, msg, ...more }));
async function render(name) {
  const known = { receipt: "Thank you", reminder: "Do not forget" };
  await new Promise((done) => setTimeout(done, 5));
  return known[name].toUpperCase();
}
async function send(name, to) {
  const text = await render(name);
  say("info", "mail sent", { template: name, to, size: text.length });
}
say("info", "mailer started", { node: process.version });
let sent = 0;
setInterval(() => {
  send(sent++ === 22 ? "welcome" : sent % 3 ? "receipt" : "reminder", "anna@example.org");
}, 400);
