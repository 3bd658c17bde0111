// Calls a step that is a module: its default export is given the context, and what it returns is its result.
import { pathToFileURL } from "node:url";

const FAILED = "failed";

async function read() {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

async function run() {
  const module = await import(pathToFileURL(process.argv[2]).href);
  if (typeof module.default !== "function") {
    return { status: FAILED, message: "The module's default export is no function." };
  }
  const result = await module.default(await read());
  const isObject = result !== null && typeof result === "object" && !Array.isArray(result);
  return isObject ? result : { status: FAILED, message: "The step returned no object." };
}

let result;
try {
  result = await run();
} catch (error) {
  console.error(error);
  result = { status: FAILED, message: error instanceof Error ? error.message : String(error) };
}
process.stdout.write(`\nFLOW_RESULT ${JSON.stringify(result)}\n`);
