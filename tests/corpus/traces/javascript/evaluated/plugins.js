const vm = require("node:vm");

function plugin(source) {
  return eval(source);
}

try {
  plugin("(function hook() { missing(); })()");
} catch (error) {
  console.error(error.stack);
}
try {
  vm.runInThisContext("null.name", "plugin.js");
} catch (error) {
  console.error(error.stack);
}
[1].forEach(function each() {
  new (class Hook {
    constructor() {
      throw "not an error";
    }
  })();
});
