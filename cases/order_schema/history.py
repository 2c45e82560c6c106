commit("2026-02-02 09:00", "Yara Haddad", "Take orders of partners", {
"README.md": "# orders\n\nOne order a line in, `accepted` or `rejected` out.\n",
"package.json": '{\n  "name": "orders",\n  "version": "0.9.0",\n  "private": true\n}\n',
"src/main.js": '''const readline = require('node:readline');
const { handle } = require('./handle');

function log(level, text) {
  console.log(`${new Date().toISOString()} [${level}] orders: ${text}`);
}

async function main() {
  log('info', 'listening');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const answer = handle(line);
    log(answer.accepted ? 'info' : 'warn', `order ${answer.id}: ${answer.text}`);
  }
}

main();
''',
"src/handle.js": '''const { validate, Invalid } = require('./validate');
const { priced } = require('./pricing');

function handle(line) {
  let order = {};
  try {
    order = JSON.parse(line);
    validate(order);
  } catch (error) {
    if (error instanceof Invalid || error instanceof SyntaxError) {
      return { id: order.id, accepted: false, text: `rejected, ${error.message}` };
    }
    throw error;
  }
  const cents = priced(order);
  return { id: order.id, accepted: true, cents, text: `accepted, ${cents} cents` };
}

module.exports = { handle };
''',
"src/validate.js": '''class Invalid extends Error {}

const REQUIRED = ['id', 'partner', 'items'];

function validate(order) {
  for (const key of REQUIRED) {
    if (!(key in order)) throw new Invalid(`${key} is missing`);
  }
  if (typeof order.id !== 'string') throw new Invalid('id is no text');
}

module.exports = { validate, Invalid };
''',
"src/pricing.js": '''const { discount } = require('./partners');

function priced(order) {
  const gross = order.items
    .map((item) => item.cents * (item.quantity ?? 1))
    .reduce((sum, cents) => sum + cents, 0);
  return Math.round(gross * (1 - discount(order.partner)));
}

module.exports = { priced };
''',
"src/partners.js": '''const DISCOUNTS = { acme: 0.1, nordic: 0.05 };

function discount(partner) {
  return DISCOUNTS[partner] ?? 0;
}

module.exports = { discount };
'''})
commit("2026-02-16 10:45", "Yara Haddad", "Test the check at the door", {
"test/validate.test.js": '''const test = require('node:test');
const assert = require('node:assert');
const { validate, Invalid } = require('../src/validate');

test('keys are required', () => {
  assert.throws(() => validate({ id: 'a', partner: 'acme' }), Invalid);
});
'''})
commit("2026-04-07 14:00", "Milan Kos", "Quantities default to one", {"README.md": "# orders\n\nOne order a line in, `accepted` or `rejected` out. An item without a quantity counts once.\n"})
commit("2026-07-13 09:25", "Milan Kos", "Nordic has five percent", {"test/partners.test.js": '''const test = require('node:test');
const assert = require('node:assert');
const { discount } = require('../src/partners');

test('unknown partners have none', () => assert.equal(discount('kestrel'), 0));
test('nordic', () => assert.equal(discount('nordic'), 0.05));
'''})
commit("2026-11-13 10:10", "Yara Haddad", "Discount of Kestrel", {
"src/partners.js": ("nordic: 0.05 }", "nordic: 0.05, kestrel: 0.07 }"),
"test/partners.test.js": ("discount('kestrel'), 0)", "discount('heron'), 0)")})
commit("2026-11-20 16:00", "Milan Kos", "Version 0.10.0", {"package.json": ("0.9.0", "0.10.0")})
right({"src/validate.js": ("'id is no text');\n", "'id is no text');\n  if (!Array.isArray(order.items)) throw new Invalid('items is no list');\n")})
run("node src/main.js", '''{"id": "a-1", "partner": "acme", "items": [{"sku": "x", "cents": 990, "quantity": 2}]}
{"id": "k-1", "partner": "kestrel"}
{"id": "k-2", "partner": "kestrel", "items": [{"sku": "y", "cents": 450}]}
{"id": "k-3", "partner": "kestrel", "items": null}
''')
