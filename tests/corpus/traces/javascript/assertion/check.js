const assert = require("node:assert");

function check(config) {
  assert.deepStrictEqual(config, { port: 80, hosts: ["a", "b"] });
}

check({ port: 81, hosts: ["a"] });
