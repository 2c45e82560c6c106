commit("2026-05-04 08:00", "Noa Perl", "Price baskets", {
"README.md": "# checkout\n\nOne basket a line on standard input, one total a line out.\n",
"package.json": '{\n  "name": "checkout",\n  "version": "1.4.0",\n  "private": true,\n  "main": "src/main.js"\n}\n',
"src/main.js": '''const readline = require('node:readline');
const { price } = require('./price');
const log = require('./log');

async function main() {
  log.info('checkout is up');
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (!line.trim()) continue;
    const basket = JSON.parse(line);
    const total = price(basket);
    log.info(`basket ${basket.id}: ${total}`);
  }
}

main();
''',
"src/log.js": '''function write(level, text) {
  process.stdout.write(`${new Date().toISOString()} ${level} ${text}\\n`);
}

module.exports = {
  info: (text) => write('INFO', text),
  warn: (text) => write('WARN', text),
};
''',
"src/price.js": '''const { lineTotal } = require('./lines');
const { applyCoupon } = require('./coupons');
const { shipping } = require('./shipping');

function price(basket) {
  const goods = basket.lines.reduce((sum, line) => sum + lineTotal(line), 0);
  const reduced = basket.coupon ? applyCoupon(goods, basket.coupon) : goods;
  return reduced + shipping(reduced, basket.country);
}

module.exports = { price };
''',
"src/lines.js": '''function lineTotal(line) {
  return line.quantity * line.cents;
}

module.exports = { lineTotal };
''',
"src/coupons.js": '''const coupons = require('../data/coupons.json');

function applyCoupon(cents, code) {
  for (const coupon of coupons) {
    if (coupon.code === code) {
      return coupon.kind === 'percent'
        ? Math.round(cents * (1 - coupon.value / 100))
        : Math.max(0, cents - coupon.value);
    }
  }
  return cents;
}

module.exports = { applyCoupon };
''',
"src/shipping.js": '''const FREE_FROM = 5000;

function shipping(cents, country) {
  if (cents >= FREE_FROM) return 0;
  return country === 'DE' ? 490 : 990;
}

module.exports = { shipping };
''',
"data/coupons.json": '[\n  {"code": "WELCOME10", "kind": "percent", "value": 10},\n  {"code": "FIVER", "kind": "fixed", "value": 500}\n]\n'})
commit("2026-05-19 10:30", "Noa Perl", "Test shipping", {
"test/shipping.test.js": '''const test = require('node:test');
const assert = require('node:assert');
const { shipping } = require('../src/shipping');

test('free from fifty', () => {
  assert.equal(shipping(5000, 'FR'), 0);
  assert.equal(shipping(4999, 'DE'), 490);
});
'''})
commit("2026-08-24 09:00", "Ruben Aas", "Cheaper shipping to Austria", {
"src/shipping.js": ("country === 'DE' ? 490 : 990", "country === 'DE' || country === 'AT' ? 490 : 990")})
commit("2026-10-12 13:10", "Noa Perl", "Autumn coupon", {
"data/coupons.json": '[\n  {"code": "WELCOME10", "kind": "percent", "value": 10},\n  {"code": "FIVER", "kind": "fixed", "value": 500},\n  {"code": "AUTUMN15", "kind": "percent", "value": 15}\n]\n'})
commit("2026-11-16 15:20", "Ruben Aas", "Look coupons up in a map\n\nThe list grows past a thousand with the winter campaign.", {
"src/coupons.js": '''const coupons = require('../data/coupons.json');

const byCode = new Map(coupons.map((coupon) => [coupon.code, coupon]));

function applyCoupon(cents, code) {
  const coupon = byCode.get(code);
  return coupon.kind === 'percent'
    ? Math.round(cents * (1 - coupon.value / 100))
    : Math.max(0, cents - coupon.value);
}

module.exports = { applyCoupon };
'''})
commit("2026-11-20 11:00", "Noa Perl", "Version 1.5.0", {"package.json": ("1.4.0", "1.5.0")})
right({"src/coupons.js": ("  return coupon.kind", "  if (!coupon) return cents;\n  return coupon.kind")})
run("node src/main.js", '''{"id": 7001, "country": "DE", "coupon": "FIVER", "lines": [{"sku": "mug", "quantity": 2, "cents": 1250}]}
{"id": 7002, "country": "FR", "lines": [{"sku": "pot", "quantity": 1, "cents": 6400}]}
{"id": 7003, "country": "DE", "coupon": "WELCOME20", "lines": [{"sku": "pan", "quantity": 1, "cents": 3900}]}
''')
