const test = require('node:test');
const assert = require('node:assert');
const { price } = require('./src/price');

const basket = (coupon) => ({ country: 'DE', coupon, lines: [{ quantity: 1, cents: 3900 }] });

test('a coupon that nobody issued changes nothing', () => {
  assert.equal(price(basket('WELCOME20')), 3900 + 490);
});

test('coupons still count', () => {
  assert.equal(price(basket('WELCOME10')), 3510 + 490);
  assert.equal(price(basket('FIVER')), 3400 + 490);
});
