import assert from "node:assert/strict";
import { test } from "node:test";

import { readEvents, type StreamEvent } from "../src/events.ts";

function streamOf(parts: Uint8Array[], ends = true): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      if (ends) controller.close();
    },
  });
}

async function all(parts: Uint8Array[]): Promise<[StreamEvent[], number[]]> {
  const events: StreamEvent[] = [];
  const pauses: number[] = [];
  for await (const event of readEvents(streamOf(parts), (pause) => pauses.push(pause))) events.push(event);
  return [events, pauses];
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("an event is what stands before an empty line", async () => {
  const stream = "retry: 2000\n\n: hello\nid: 3\nevent: snapshot\ndata: {\ndata:  é}\n\ndata\n\nid: 4\n\ndata: cut off";

  assert.deepEqual(await all([bytes(stream)]), [
    [
      { name: "snapshot", data: "{\n é}", id: "3" },
      { name: "message", data: "", id: "3" },
    ],
    [2000],
  ]);
});

test("where the network cuts a stream, and how its lines end, changes nothing", async () => {
  const lines = ["retry: 20", "", "id: 7", "event: snapshot", "data: é", "data:2", "", ": words", "data", "", ""];
  const expected = await all([bytes(lines.join("\n"))]);
  for (const end of ["\n", "\r\n", "\r"]) {
    // The LF is what the last CR waits for.
    const whole = bytes(lines.join(end) + "\n");
    for (let cut = 0; cut <= whole.length; cut += 1) {
      assert.deepEqual(await all([whole.slice(0, cut), whole.slice(cut)]), expected);
    }
    assert.deepEqual(await all([...whole].map((byte) => Uint8Array.of(byte))), expected);
  }
});

test("a stream that falls silent is broken, as one that the network cuts", async () => {
  const read = readEvents(streamOf([bytes("data: 1\n\n")], false), () => undefined, 20);

  assert.equal((await read.next()).value?.data, "1");
  await assert.rejects(read.next(), TypeError);
});
