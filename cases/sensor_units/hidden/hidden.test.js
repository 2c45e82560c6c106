const test = require('node:test');
const assert = require('node:assert');
const { Pipeline } = require('./src/pipeline');

test('fahrenheit becomes celsius', () => {
  const rows = [];
  const pipeline = new Pipeline({ batch: 9, digits: 1 }, (row) => rows.push(row));
  pipeline.take('{"at": 1, "sensor": "a", "unit": "F", "value": 68}');
  pipeline.take('{"at": 2, "sensor": "b", "unit": "C", "value": 4.75}');
  pipeline.flush();
  assert.deepEqual(rows, ['1,a,20.0', '2,b,4.8']);
});
