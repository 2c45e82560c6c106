const net = require("net");
Promise.any([Promise.reject(new Error("one")), Promise.reject(new TypeError("two"))]).catch(e => { console.error("2026-01-05 10:00:00 ERROR", e); console.log("next"); });
