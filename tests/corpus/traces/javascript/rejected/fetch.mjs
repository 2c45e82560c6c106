import { setTimeout as sleep } from "node:timers/promises";

class GoneError extends Error {
  constructor(name, cause) {
    super(`${name} is gone`, { cause });
    this.name = "GoneError";
    this.status = 410;
  }
}

async function fetchUser(id) {
  await sleep(1);
  try {
    JSON.parse("<html>");
  } catch (error) {
    throw new GoneError(`user ${id}`, error);
  }
}

async function main() {
  await fetchUser(7);
}

main();
