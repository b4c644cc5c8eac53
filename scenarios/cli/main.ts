#!/usr/bin/env node
import { createNodeHost } from "./host/node-host.js";
import { main } from "./program.js";

process.exitCode = await main(createNodeHost(process.argv.slice(2)));
