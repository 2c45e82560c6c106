'use strict';
const price = require('../lib/price');

function create(order) {
  return order.lines.map((line) => price.of(line));
}

module.exports = { create };
