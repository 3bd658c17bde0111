/** One server-sent event. `id` is the last one that the stream named, "" when it named none. */
export interface StreamEvent {
  name: string;
  data: string;
  id: string;
}

/** The server sends a sign of life every 15 seconds. Where three are missed, the connection is dead, told or not. */
export const SILENCE_MS = 45_000;

/**
 * The events of a stream, as they come. What stands after the last empty line was cut off, and is left out. `onRetry`
 * is told how many milliseconds the server wants to be left alone after a break. Throws a TypeError, as fetch does,
 * when the connection breaks or says nothing for `silenceMs`.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onRetry: (milliseconds: number) => void,
  silenceMs = SILENCE_MS,
): AsyncGenerator<StreamEvent> {
  let name = "";
  let data: string[] = [];
  let id = "";
  for await (const line of readLines(body, silenceMs)) {
    if (line === "") {
      if (data.length > 0) yield { name: name || "message", data: data.join("\n"), id };
      name = "";
      data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id") id = value;
    else if (field === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
  }
}

/** Whole lines, whatever ends them (LF, CR LF, CR) and wherever the network cut them. */
async function* readLines(body: ReadableStream<Uint8Array>, silenceMs: number): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silenceMs);
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      // A CR at the very end may be the first half of CR LF: it waits for what comes next.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TypeError("The stream fell silent.")), milliseconds);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
