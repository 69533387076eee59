"""Lists the tools and calls list_traces with the official Python client; prints both as JSON.

Takes a protocol mode, and the server: its URL, or its command.
"""

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters


async def main(mode: str, command: str, *args: str) -> None:
    server = (
        command
        if command.startswith("http")
        else StdioServerParameters(command=command, args=list(args), env=dict(os.environ))
    )
    async with Client(server, mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        result = await client.call_tool("list_traces", {"limit": 1})
        print(json.dumps({"tools": tools, "text": result.content[0].text}))


asyncio.run(main(*sys.argv[1:]))
