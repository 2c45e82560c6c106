const test = require('node:test');
const assert = require('node:assert');
const { handle } = require('./src/handle');

test('items that are no list are refused', () => {
  for (const items of [null, 'x', {}]) {
    const answer = handle(JSON.stringify({ id: 'k', partner: 'kestrel', items }));
    assert.equal(answer.accepted, false);
  }
});

test('lists are taken', () => {
  const items = [{ cents: 100, quantity: 3 }];
  assert.equal(handle(JSON.stringify({ id: 'k', partner: 'acme', items })).cents, 270);
  assert.equal(handle(JSON.stringify({ id: 'k', partner: 'acme', items: [] })).accepted, true);
});
