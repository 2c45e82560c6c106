const stamp = () => new Date(Date.UTC(2026, 1, 3, 10)).toISOString();
const log = (level, ...rest) => console.log(stamp(), level, ...rest);

function run(job) {
  if (job === 1) {
    throw new RangeError(`job ${job} is too big`);
  }
}

for (let job = 0; job < 3; job++) {
  log("INFO", `job ${job} taken`);
  try {
    run(job);
  } catch (error) {
    log("ERROR", `job ${job} failed`);
    console.log(error.stack);
  }
}
log("INFO", "queue is empty");
