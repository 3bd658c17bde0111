import { type InputRow, type PlanDocument, type ZapDocument, take } from "@zaps/client";

import { Part, h } from "./dom.ts";
import type { Session } from "./session.ts";
import { explain, kindOf, usd } from "./words.ts";

const PAUSE_MS = 300;
const ACCEPTED: Record<string, string> = { image: "image/*", video: "video/*", audio: "audio/*" };

type Inputs = Record<string, string | number>;

/** A form of what a recipe asks for, with its price as it is filled in, and the button that makes the film. */
export async function recipePage(
  session: Session,
  page: HTMLElement,
  slug: string,
  signal: AbortSignal,
): Promise<void> {
  const { zaps } = session;
  const recipe = await take(zaps.api.GET("/api/zaps/{slug}", { params: { path: { slug } }, signal }));
  const price = new Part<PlanDocument>("section", { class: "card", id: "plan" }, planOf);
  const problem = h("p", { class: "problem", role: "alert" });
  const form = h("form", { class: "card", id: "order" });
  const button = h("button", { class: "main" }, "Make it with the mock");

  const ask = async (): Promise<void> => {
    if (!form.checkValidity()) return;
    const body = { inputs: await inputsOf(session, form, recipe.inputs, false) };
    try {
      price.show(await take(zaps.api.POST("/api/zaps/{slug}/plan", { params: { path: { slug } }, body, signal })));
      problem.textContent = "";
    } catch (error) {
      if (!signal.aborted) problem.textContent = explain(error);
    }
  };
  const order = async (event: Event): Promise<void> => {
    event.preventDefault();
    button.disabled = true;
    try {
      const inputs = await inputsOf(session, form, recipe.inputs, true);
      const headers = { "Idempotency-Key": crypto.randomUUID() };
      const body = { slug, inputs, mode: "mock" as const };
      const made = await take(zaps.api.POST("/api/zaps/run", { body, headers }));
      location.hash = `#/runs/${made.runId ?? ""}`;
    } catch (error) {
      problem.textContent = explain(error);
    } finally {
      button.disabled = false;
    }
  };
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), PAUSE_MS);
  });
  form.addEventListener("submit", (event) => void order(event));
  form.append(...recipe.inputs.map(field), problem, button);
  page.replaceChildren(...head(recipe), h("div", { class: "two" }, form, price.node));
  await ask();
}

function head(recipe: ZapDocument): HTMLElement[] {
  return [h("h1", {}, recipe.title), h("p", { class: "soft" }, recipe.description)];
}

function field(input: InputRow): HTMLElement {
  const label = h("label", { for: `input-${input.name}` }, input.label ?? input.name);
  return h("div", { class: "field" }, label, control(input));
}

function control({ name, type, required, hint, options }: InputRow): HTMLElement {
  const given = { id: `input-${name}`, name, required };
  if (options.length > 0) return h("select", given, ...options.map((option) => h("option", {}, option)));
  if (type in ACCEPTED) return h("input", { ...given, type: "file", accept: ACCEPTED[type] });
  const typed = type === "number" ? "number" : "text";
  return h("input", { ...given, type: typed, step: "any", placeholder: hint ?? "" });
}

/** What has been filled in. Files are sent ahead, but only when the film is ordered. */
async function inputsOf({ zaps }: Session, form: HTMLFormElement, inputs: InputRow[], send: boolean): Promise<Inputs> {
  const said = new FormData(form);
  const found: Inputs = {};
  for (const { name, type } of inputs) {
    const value = said.get(name);
    if (value instanceof File) {
      if (send && value.size > 0) found[name] = `upload:${(await zaps.upload(value)).uploadId}`;
    } else if (value) found[name] = type === "number" ? Number(value) : value;
  }
  return found;
}

function planOf(plan: PlanDocument): HTMLElement[] {
  return [
    h("h2", {}, "What it would cost"),
    h("p", { class: "price" }, usd(plan.quoteUsd)),
    h("p", { class: "soft" }, `at most ${usd(plan.mostUsd)}; the mock makes it for nothing`),
    h(
      "ol",
      { class: "steps" },
      ...plan.steps.map((step) =>
        h(
          "li",
          {},
          h("span", {}, step.stepId),
          h("span", { class: "soft" }, kindOf(step.kind)),
          h("span", {}, usd(step.firstUsd)),
        ),
      ),
    ),
  ];
}
