import type { Problem } from "./schema.ts";

/** The server said no. `problem.code` is stable: branch on it, show `detail` and `remediation` to a person. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** What an answer that is not 2xx says. Whatever stood in between, a proxy say, may have said nothing. */
export async function refusal(response: Response): Promise<Refused> {
  const said: unknown = await response.json().catch(() => null);
  return new Refused(isProblem(said) ? said : unexplained(response.status));
}

/** Whether it is a problem document. */
export function isProblem(said: unknown): said is Problem {
  return typeof said === "object" && said !== null && "code" in said && "detail" in said;
}

/** A problem document for an answer that brought none. */
export function unexplained(status: number): Problem {
  return {
    type: "about:blank",
    title: "No explanation",
    status,
    code: "UNEXPLAINED",
    detail: `The server answered ${status} without saying why.`,
    remediation: "Try again in a moment.",
    retryable: status >= 500 || status === 429,
    errors: [],
  };
}
