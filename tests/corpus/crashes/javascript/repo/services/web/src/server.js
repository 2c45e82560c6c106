'use strict';
const { EventEmitter } = require('node:events');
const orders = require('./routes/orders');

const app = new EventEmitter();
app.on('order', (order) => orders.create(order));
app.emit('order', { lines: [{ sku: 'tea', count: 2 }] });
