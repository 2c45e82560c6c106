// Keeps every report that it ever made: run with --max-old-space-size=48, the heap ends.
const kept = [];
const say = (msg) => console.log(`${new Date().toISOString()} info reports: ${msg}`);
say("started");
let made = 0;
setInterval(() => {
  made++;
  kept.push(Array.from({ length: 30000 }, (_, n) => ({ n, text: "row " + n })));
  const mb = Math.round(process.memoryUsage().heapUsed / 1048576);
  say(`report ${made} made, heap ${mb} MB`);
}, 500);
