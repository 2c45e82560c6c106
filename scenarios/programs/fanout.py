"""An asyncio aggregator that asks a quotes server on loopback, which stops answering after so many
seconds. python3 fanout.py STALL_AFTER SECONDS"""
import asyncio, logging, os, sys, time

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s aggregator %(message)s")
BEGAN = time.monotonic()
STALL, END = float(sys.argv[1]), float(sys.argv[2])


async def serve(reader, writer):
    await reader.readline()
    if time.monotonic() - BEGAN > STALL:
        await asyncio.sleep(3600)
    writer.write(b"4.2\n")
    await writer.drain()
    writer.close()


async def quote(port, name):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(name.encode() + b"\n")
    answer = await asyncio.wait_for(reader.readline(), 0.5)
    writer.close()
    return answer


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    logging.info("aggregator up, quotes server at 127.0.0.1:%d", port)
    at = 0
    while time.monotonic() - BEGAN < END:
        at += 1
        try:
            await quote(port, "ACME")
            logging.info("quote %d answered", at)
        except asyncio.TimeoutError:
            logging.exception("quote %d: quotes server did not answer within 500 ms", at)
        await asyncio.sleep(0.2)
    # The server that was made to stall shares this process; how it would end is not the service's.
    os._exit(0)


asyncio.run(main())
