import asyncio


class Gone(Exception):
    def __init__(self, name):
        super().__init__(f"{name} is gone")


async def fetch(name, wait):
    await asyncio.sleep(wait)
    raise Gone(name)


async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(fetch("users", 0))
        group.create_task(fetch("orders", 0))


asyncio.run(main())
