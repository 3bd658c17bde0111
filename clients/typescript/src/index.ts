import createClient, { type Client } from "openapi-fetch";

import { followRun } from "./follow.ts";
import { Refused, isProblem, refusal, unexplained } from "./refused.ts";
import type { RunDocument, UploadRow, paths } from "./schema.ts";

export type * from "./schema.ts";
export { Refused } from "./refused.ts";

export interface Options {
  /** Where the server is, like `https://zaps.example.com`. */
  baseUrl: string;
  /** An API key, `zap_…`. */
  key?: string;
  /** A run's read token, `share_…`, for somebody without a key. */
  readToken?: string;
}

/** A server, and who asks it. `api` knows every address with its parameters, bodies and answers. */
export class Zaps {
  readonly api: Client<paths>;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    this.api = createClient<paths>({ baseUrl: options.baseUrl, headers: this.#headers() });
    const { readToken } = options;
    if (readToken !== undefined) {
      this.api.use({ onRequest: ({ request }) => new Request(this.#address(request.url), request) });
    }
  }

  /** A run as it now is, again whenever it changes, until it has ended. See followRun. */
  follow(runId: string, signal?: AbortSignal): AsyncGenerator<RunDocument> {
    const address = this.#address(`/api/runs/${encodeURIComponent(runId)}/events`);
    const open = (seen: string | null): Promise<Response> => {
      const headers = new Headers({ ...this.#headers(), Accept: "text/event-stream" });
      if (seen !== null) headers.set("Last-Event-ID", seen);
      return fetch(address, { headers, cache: "no-store", ...(signal && { signal }) });
    };
    return followRun(open, signal);
  }

  /** The bytes of an asset, by its `url`: an `<img>` or a `<video>` cannot send a key. Throws Refused. */
  async media(url: string, signal?: AbortSignal): Promise<Blob> {
    const address = this.#address(url);
    if (address.origin !== new URL(this.#options.baseUrl).origin) throw new TypeError("The key is for one server.");
    const answer = await fetch(address, { headers: this.#headers(), ...(signal && { signal }) });
    if (!answer.ok) throw await refusal(answer);
    return answer.blob();
  }

  /** Send a picture, a clip or a sound; a run takes it as `upload:{uploadId}`. Throws Refused. */
  async upload(file: Blob): Promise<UploadRow> {
    const body = new FormData();
    body.append("file", file);
    const answer = await fetch(this.#address("/api/uploads"), { method: "POST", headers: this.#headers(), body });
    if (!answer.ok) throw await refusal(answer);
    return (await answer.json()) as UploadRow;
  }

  #headers(): Record<string, string> {
    const { key } = this.#options;
    return key === undefined ? {} : { Authorization: `Bearer ${key}` };
  }

  #address(path: string): URL {
    const { baseUrl, readToken } = this.#options;
    const address = new URL(path, baseUrl);
    if (readToken !== undefined) address.searchParams.set("token", readToken);
    return address;
  }
}

/** What the server answered; throws Refused where it said no: `const page = await take(zaps.api.GET("/api/zaps"))`. */
export async function take<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  throw new Refused(isProblem(error) ? error : unexplained(response.status));
}
