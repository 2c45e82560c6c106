const connect = async (host) => {
  const error = new Error(`connect ECONNREFUSED ${host}`);
  error.code = "ECONNREFUSED";
  throw error;
};

async function main() {
  try {
    await Promise.any([connect("10.0.0.1"), connect("10.0.0.2")]);
  } catch (error) {
    console.error(error);
  }
  console.error("retrying later");
}

main();
