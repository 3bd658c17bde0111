import { readEvents } from "./events.ts";
import { refusal } from "./refused.ts";
import type { RunDocument } from "./schema.ts";

/** Opens the stream from after the event `seen`. */
export type Open = (seen: string | null) => Promise<Response>;

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * A run as it now is, again whenever it changes, until it has ended. Each is the whole document, so whoever is slow
 * misses nothing. A connection that breaks is opened again after the last event that came, ever later while nobody
 * answers. Throws Refused when the server says no for good, and the signal's reason when it is aborted.
 */
export async function* followRun(open: Open, signal?: AbortSignal): AsyncGenerator<RunDocument> {
  let seen: string | null = null;
  let asked = FIRST_PAUSE_MS;
  let pause = asked;
  for (;;) {
    const answer = await reached(open(seen), signal);
    if (answer?.status === 204) return;
    if (answer !== null && !answer.ok && !passes(answer.status)) throw await refusal(answer);
    if (answer?.ok && answer.body) {
      pause = asked;
      try {
        for await (const event of readEvents(answer.body, (milliseconds) => (pause = asked = milliseconds))) {
          seen = event.id || seen;
          if (event.name === "snapshot") yield JSON.parse(event.data) as RunDocument;
        }
      } catch (error) {
        if (!isBroken(error, signal)) throw error;
      }
    }
    await sleep(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** The answer; null when nobody was there. */
async function reached(answer: Promise<Response>, signal?: AbortSignal): Promise<Response | null> {
  try {
    return await answer;
  } catch (error) {
    if (isBroken(error, signal)) return null;
    throw error;
  }
}

/** Whether it is the network's fault: fetch throws a TypeError then. */
function isBroken(error: unknown, signal?: AbortSignal): boolean {
  return error instanceof TypeError && !signal?.aborted;
}

function passes(status: number): boolean {
  return status >= 500 || status === 429;
}

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
