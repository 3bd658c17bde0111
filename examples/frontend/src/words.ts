import { Refused } from "@zaps/client";

/** What people read where the interface has codes; a code without words is shown as it is. */
const STATUS: Record<string, string> = {
  queued: "Queued",
  running: "Running",
  waiting: "Needs you",
  done: "Done",
  failed: "Failed",
  skipped: "Not needed",
  canceled: "Canceled",
};
const KIND: Record<string, string> = {
  "image.gen": "Picture",
  "image.edit": "Edited picture",
  "image.upscale": "Larger picture",
  "video.gen": "Clip",
  "video.extend": "Next clip",
  "audio.music": "Music",
  "audio.tts": "Voice",
  stitch: "Film",
  keyframes: "Stills",
};
const WAITS: Record<string, string> = {
  dependency: "Waits for an earlier step",
  provider_queue: "In line at the provider",
  provider_limit: "Waits for a free place at the provider",
  provider_paused: "The provider failed too often and is left alone for a while",
  rate_limit: "The provider asked us to slow down",
  backoff: "Tried again shortly",
  budget: "Waits for money",
  approval: "Waits for your decision",
  submission_unknown: "It is not known whether the provider got the order",
};

export const statusOf = (code: string): string => STATUS[code] ?? code;
export const kindOf = (code: string): string => KIND[code] ?? code;
export const waitOf = (code: string | null): string => (code === null ? "" : (WAITS[code] ?? code));

/** `$0`, `$0.025`, `$1.15`. */
export function usd(amount: number): string {
  const cents = amount >= 1 || amount === 0 ? 2 : 4;
  return `$${amount.toFixed(cents).replace(/(\.\d\d)0+$/, "$1").replace(/^0\.00$/, "0")}`;
}

/** What went wrong, as a sentence and what to do about it. */
export function explain(error: unknown): string {
  if (error instanceof Refused) {
    const { detail, remediation, errors } = error.problem;
    return [detail, ...errors.map((one) => one.message), remediation].filter(Boolean).join(" ");
  }
  if (error instanceof TypeError) return "The server does not answer, or does not let this page ask it.";
  return String(error);
}
