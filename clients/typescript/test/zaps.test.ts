import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";

import { Refused, Zaps, take } from "../src/index.ts";

type Answer = [status: number, ...parts: string[]];

/** A server that says what a test tells it to, an answer a request; what ends with CUT breaks off once it was heard. */
const CUT = "✂";
let server: Server;
let address: string;
let answers: Answer[];
let asked: IncomingMessage[];
let cut: () => void;

const GONE = {
  type: "urn:zap:problem:NOT_FOUND",
  title: "Not found.",
  status: 404,
  code: "NOT_FOUND",
  detail: "There is no such run.",
  remediation: "Look at the id.",
  retryable: false,
  errors: [],
};

beforeEach(async () => {
  [answers, asked, cut] = [[], [], () => undefined];
  server = createServer((request, response) => {
    asked.push(request);
    const [status, ...parts] = answers.shift() ?? [500];
    response.writeHead(status, { "Content-Type": "application/json" });
    for (const part of parts) {
      if (part === CUT) return (cut = () => response.destroy());
      response.write(part);
    }
    return response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const snapshot = (revision: number, status: string): string =>
  `id: ${revision}\nevent: snapshot\ndata: ${JSON.stringify({ run: { status } })}\n\n`;

async function statuses(zaps: Zaps, signal?: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for await (const { run } of zaps.follow("run_1", signal)) {
    found.push(run.status);
    cut();
  }
  return found;
}

test("it follows a run through a broken connection to its end", async () => {
  answers = [
    [200, "retry: 1\n\n", snapshot(4, "running"), snapshot(5, "running").slice(0, -20), CUT],
    [503, "a proxy speaks"],
    [200, "retry: 1\n\n", ": still here\n\n", snapshot(7, "done")],
    [204],
  ];

  assert.deepEqual(await statuses(new Zaps({ baseUrl: address, key: "zap_one" })), ["running", "done"]);
  assert.deepEqual(
    asked.map((request) => [request.url, request.headers["last-event-id"], request.headers.authorization]),
    [undefined, "4", "4", "7"].map((seen) => ["/api/runs/run_1/events", seen, "Bearer zap_one"]),
  );
});

test("a refusal ends the following", async () => {
  answers = [[404, JSON.stringify(GONE)]];

  await assert.rejects(statuses(new Zaps({ baseUrl: address })), (error: unknown) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual(error.problem, GONE);
    return true;
  });
  assert.equal(asked.length, 1);
});

test("whoever stops listening ends the stream and waits for nothing", { timeout: 20_000 }, async () => {
  const stop = new AbortController();
  answers = [[200, "retry: 3600000\n\n", snapshot(1, "running")]];
  const following = new Zaps({ baseUrl: address }).follow("run_1", stop.signal);

  assert.equal((await following.next()).value?.run.status, "running");
  const next = following.next();
  setTimeout(() => stop.abort(), 20);
  await assert.rejects(next, { name: "AbortError" });
});

test("a read token goes along wherever a guest may look", async () => {
  const guest = new Zaps({ baseUrl: address, readToken: "share_1_x" });
  answers = [[204], [200, "{}"], [200, "film"]];

  await statuses(guest);
  await take(guest.api.GET("/api/runs/{run_id}", { params: { path: { run_id: "run_1" } } }));
  await guest.media("/api/assets/asset_1/content");

  assert.deepEqual(
    asked.map((request) => request.url),
    ["runs/run_1/events", "runs/run_1", "assets/asset_1/content"].map((path) => `/api/${path}?token=share_1_x`),
  );
});

test("the key goes to its own server only", async () => {
  const zaps = new Zaps({ baseUrl: address, key: "zap_one" });

  await assert.rejects(zaps.media(address.replace("127.0.0.1", "localhost")), TypeError);
  assert.equal(asked.length, 0);
});

test("an answer without a document is explained all the same", async () => {
  answers = [[502, "<h1>Bad gateway</h1>"]];

  await assert.rejects(take(new Zaps({ baseUrl: address }).api.GET("/api/zaps")), (error: unknown) => {
    assert.ok(error instanceof Refused);
    assert.equal(error.problem.code, "UNEXPLAINED");
    assert.equal(error.problem.retryable, true);
    return true;
  });
});

test("what is written wrong does not compile", () => {
  const { api } = new Zaps({ baseUrl: address });
  const never = () => {
    // @ts-expect-error: there is no such address
    void api.GET("/api/films");
    // @ts-expect-error: there is no such mode
    void api.POST("/api/zaps/run", { body: { slug: "hello-film", mode: "free" } });
    // @ts-expect-error: a run has an id
    void api.POST("/api/runs/{run_id}/cancel", {});
  };
  assert.equal(typeof never, "function");
});
