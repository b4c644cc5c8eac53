#!/usr/bin/env node
import { createNodeHost } from "./host/node-host.js";
import { main } from "./program.js";

// A reader that leaves early, as in `fleetrig list | head`, ends nothing.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

process.exitCode = await main(createNodeHost(process.argv.slice(2)));
