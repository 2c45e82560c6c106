commit("2026-03-02 08:00", "Kaya Demir", "Readings to rows", {
"README.md": "# telemetry\n\nReadings (JSON lines) in, rows `time,sensor,celsius` out.\n",
"package.json": '{\n  "name": "telemetry",\n  "version": "2.0.0",\n  "private": true\n}\n',
"src/main.js": '''const readline = require('node:readline');
const { Pipeline } = require('./pipeline');
const { config } = require('./config');

async function main() {
  const say = (level, text) => console.log(`${new Date().toISOString()} ${level} ${text}`);
  const pipeline = new Pipeline(config, (row) => say('INFO', `row ${row}`));
  say('INFO', `started with batches of ${config.batch}`);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    pipeline.take(line);
  }
  pipeline.flush();
}

main();
''',
"src/config.js": "module.exports = { config: { batch: 2, digits: 1 } };\n",
"src/decode.js": '''const toCelsius = {
  C: (value) => value,
  F: (value) => ((value - 32) * 5) / 9,
};

function decode(line) {
  const raw = JSON.parse(line);
  const convert = toCelsius[raw.unit ?? 'C'];
  return { at: raw.at, sensor: raw.sensor, celsius: convert(raw.value) };
}

module.exports = { decode };
''',
"src/pipeline.js": '''const { decode } = require('./decode');
const { rowOf } = require('./rows');

class Pipeline {
  constructor(config, write) {
    this.config = config;
    this.write = write;
    this.waiting = [];
  }

  take(line) {
    this.waiting.push(decode(line));
    if (this.waiting.length >= this.config.batch) this.flush();
  }

  flush() {
    for (const reading of this.waiting) this.write(rowOf(reading, this.config.digits));
    this.waiting = [];
  }
}

module.exports = { Pipeline };
''',
"src/rows.js": '''function rowOf(reading, digits) {
  return [reading.at, reading.sensor, reading.celsius.toFixed(digits)].join(',');
}

module.exports = { rowOf };
'''})
commit("2026-03-17 12:00", "Kaya Demir", "Test rows", {
"test/rows.test.js": '''const test = require('node:test');
const assert = require('node:assert');
const { rowOf } = require('../src/rows');

test('digits', () => {
  assert.equal(rowOf({ at: 1, sensor: 's', celsius: 20.26 }, 1), '1,s,20.3');
});
'''})
commit("2026-06-09 09:40", "Oren Tal", "Larger batches in production", {"src/config.js": "module.exports = { config: { batch: 3, digits: 1 } };\n"})
commit("2026-09-28 10:00", "Oren Tal", "Ignore the build folder", {".gitignore": "node_modules/\ndist/\n"})
commit("2026-11-17 13:35", "Oren Tal", "Decode humidity as well\n\nA reading's value is named after its unit.", {
"src/decode.js": '''const names = { C: 'celsius', F: 'fahrenheit', '%': 'humidity' };

function decode(line) {
  const raw = JSON.parse(line);
  const name = names[raw.unit ?? 'C'];
  return { at: raw.at, sensor: raw.sensor, [name]: raw.value };
}

module.exports = { decode };
'''})
commit("2026-11-19 08:20", "Kaya Demir", "Version 2.1.0", {"package.json": ("2.0.0", "2.1.0")})
right({"src/decode.js": [("const names = { C: 'celsius', F: 'fahrenheit', '%': 'humidity' };\n", '''const names = { C: 'celsius', F: 'celsius', '%': 'humidity' };
const convert = { F: (value) => ((value - 32) * 5) / 9 };
'''), ("  return { at: raw.at, sensor: raw.sensor, [name]: raw.value };", '''  const value = convert[raw.unit] ? convert[raw.unit](raw.value) : raw.value;
  return { at: raw.at, sensor: raw.sensor, [name]: value };''')]})
run("node src/main.js", '''{"at": 1764000000, "sensor": "hall-1", "unit": "C", "value": 19.5}
{"at": 1764000001, "sensor": "hall-2", "value": 20.25}
{"at": 1764000002, "sensor": "yard-1", "unit": "C", "value": 4.75}
{"at": 1764000060, "sensor": "hall-1", "unit": "C", "value": 19.6}
{"at": 1764000061, "sensor": "dock-7", "unit": "F", "value": 68}
{"at": 1764000062, "sensor": "yard-1", "unit": "C", "value": 4.7}
''')
