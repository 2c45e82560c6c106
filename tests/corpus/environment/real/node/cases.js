// Meets one fault of what is around it, without catching it: node cases.js CASE
const net = require('net'), fs = require('fs'), https = require('https'), http = require('http');
const cases = {
  refused: () => net.connect(9, '127.0.0.1'),
  unresolved: () => net.connect(5432, 'db.prod.invalid'),
  fetch_refused: () => fetch('http://127.0.0.1:18771/charge'),
  full: () => fs.writeFileSync('/dev/full', 'x'),
  denied: () => fs.readFileSync('/etc/shadow'),
  in_use: () => { net.createServer().listen(18766, () => net.createServer().listen(18766)); },
  certificate: () => https.get('https://localhost:18443/'),
  hang_up: () => { const s = net.createServer(c => c.destroy()).listen(0, () => http.get({ port: s.address().port })); },
  files: () => { for (;;) fs.openSync('/dev/null'); },
  own: () => { throw new Error('connection refused by user'); },
  type: () => { const e = new Error('connect ECONNREFUSED 127.0.0.1:9'); e.config.host.trim(); },
};
cases[process.argv[2]]();
