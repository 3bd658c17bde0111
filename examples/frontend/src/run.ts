import { type AssetRow, type RunDocument, type RunRow, type StepRow, take } from "@zaps/client";

import { type Child, Part, h } from "./dom.ts";
import { Media } from "./media.ts";
import type { Session } from "./session.ts";
import { explain, kindOf, statusOf, usd, waitOf } from "./words.ts";

/** What a step shows: itself, and what it made but the film, which has its own place. */
type Shown = { step: StepRow; made: AssetRow[] };
type Verb = "approve" | "cancel" | "reject" | "resume" | "retry";

const WORDS: Record<Verb, string> = {
  approve: "Take this one",
  cancel: "Cancel",
  reject: "Refuse",
  resume: "Go on",
  retry: "Try again",
};

/** A run, live: every snapshot of its stream is drawn, and only what changed is drawn again. */
export async function runPage(session: Session, page: HTMLElement, runId: string, signal: AbortSignal): Promise<void> {
  const desk = new Desk(session, runId, signal);
  page.replaceChildren(desk.head.node, desk.problem, desk.film.node, desk.steps);
  await desk.follow();
}

class Desk {
  readonly problem = h("p", { class: "problem", role: "alert" });
  readonly steps = h("ol", { class: "cards", id: "steps" });
  readonly head = new Part<RunRow>("section", { class: "head" }, (run) => this.#head(run));
  readonly film = new Part<AssetRow | null>("section", { id: "film" }, (film) => (film ? [this.#media.of(film)] : []));
  readonly #parts = new Map<string, Part<Shown>>();
  readonly #media: Media;
  #revision = -1;
  #follows = false;

  constructor(
    readonly session: Session,
    readonly runId: string,
    readonly signal: AbortSignal,
  ) {
    this.#media = new Media(session.zaps, signal);
  }

  /** Until the run has ended. One that is made to go on is followed again. */
  async follow(): Promise<void> {
    if (this.#follows) return;
    this.#follows = true;
    try {
      for await (const snapshot of this.session.zaps.follow(this.runId, this.signal)) this.#show(snapshot);
    } finally {
      this.#follows = false;
    }
  }

  /** Answers and stream race each other: what is older than what is shown is left out. */
  #show({ run, steps, assets }: RunDocument): void {
    if (run.revision < this.#revision) return;
    this.#revision = run.revision;
    this.head.show(run);
    this.film.show(assets.find((asset) => asset.url === run.zapUrl) ?? null);
    for (const step of steps) {
      let part = this.#parts.get(step.stepId);
      if (part === undefined) {
        part = new Part<Shown>("li", { class: "card", id: `step-${step.stepId}` }, (shown) => this.#step(shown));
        this.#parts.set(step.stepId, part);
        this.steps.append(part.node);
      }
      const made = assets.filter((asset) => asset.stepId === step.stepId && asset.url !== run.zapUrl);
      part.show({ step, made });
    }
  }

  #head(run: RunRow): Child[] {
    const verbs = (["cancel", "resume"] as const).filter((verb) => run.can.includes(verb));
    return [
      h("h1", {}, run.zapSlug),
      h("p", { id: "now", role: "status" }, pill(run.status)),
      h("p", { class: "facts" }, `${run.providerMode} · ${usd(run.costUsd)} spent of ${usd(run.capUsd)}`),
      wrong(run),
      h("div", { class: "verbs" }, ...verbs.map((verb) => this.#button(verb, {}))),
    ];
  }

  #step({ step, made }: Shown): Child[] {
    const choices = step.waits?.choices.map((choice) => choice.assetId) ?? [];
    const shown = made.filter((asset) => choices.includes(asset.assetId) || (choices.length === 0 && asset.chosen));
    const verbs = (["retry", "reject"] as const).filter((verb) => step.can.includes(verb));
    return [
      h("h2", {}, step.stepId),
      h("p", { class: "facts" }, `${kindOf(step.kind)} · ${step.model ?? step.provider} · ${usd(step.actualUsd ?? 0)}`),
      h("p", {}, pill(step.status), " ", waitOf(step.waitReason)),
      step.status === "running" && h("progress", { value: step.progress, "aria-label": "Progress" }),
      wrong(step),
      h("div", { class: "made" }, ...shown.map((asset) => this.#result(asset, step))),
      h("div", { class: "verbs" }, ...verbs.map((verb) => this.#button(verb, { stepId: step.stepId }))),
    ];
  }

  #result(asset: AssetRow, step: StepRow): HTMLElement {
    const open = step.can.includes("approve") && step.waits?.reason === "approval";
    const said = { stepId: step.stepId, assetId: asset.assetId };
    return h("figure", {}, this.#media.of(asset), open && h("figcaption", {}, this.#button("approve", said)));
  }

  #button(verb: Verb, said: { stepId?: string; assetId?: string }): HTMLElement {
    const press = async (): Promise<void> => {
      this.problem.textContent = "";
      try {
        const params = { path: { run_id: this.runId } };
        this.#show(await take(this.session.zaps.api.POST(`/api/runs/{run_id}/${verb}`, { params, body: said })));
        if (verb === "resume" || verb === "retry") await this.follow();
      } catch (error) {
        if (!this.signal.aborted) this.problem.textContent = explain(error);
      }
    };
    const look = verb === "approve" ? "main" : "quiet";
    return h("button", { class: look, "data-verb": verb, onclick: () => void press() }, WORDS[verb]);
  }
}

function pill(status: string): Child {
  return h("span", { class: `pill ${status}` }, statusOf(status));
}

function wrong({ errorDetail }: RunRow | StepRow): Child {
  return errorDetail && h("p", { class: "problem" }, `${errorDetail.message} ${errorDetail.remediation}`);
}
