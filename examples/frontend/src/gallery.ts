import { type RunRow, type ZapRow, take } from "@zaps/client";

import { Part, h } from "./dom.ts";
import type { Session } from "./session.ts";
import { statusOf, usd } from "./words.ts";

const PAUSE_MS = 250;

/** Every recipe, found by its words, and the newest runs of whoever is signed in. */
export async function galleryPage(
  { zaps }: Session,
  page: HTMLElement,
  _name: string,
  signal: AbortSignal,
): Promise<void> {
  const recipes = new Part<ZapRow[]>("div", { class: "cards", id: "recipes" }, (found) =>
    found.length > 0 ? found.map(card) : [h("p", { class: "soft" }, "Nothing has all of these words.")],
  );
  const runs = new Part<RunRow[]>("section", { id: "runs" }, (found) =>
    found.length > 0 ? [h("h2", {}, "Your runs"), h("ul", {}, ...found.map(line))] : [],
  );
  const words = "Find a recipe";
  const query = h("input", { id: "query", type: "search", placeholder: words, "aria-label": words });
  const look = async (): Promise<void> => {
    const asked = query.value;
    const { zaps: found } = await take(zaps.api.GET("/api/zaps", { params: { query: { query: asked } }, signal }));
    if (query.value === asked) recipes.show(found);
  };
  let timer = 0;
  query.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), PAUSE_MS);
  });

  const mine = await take(zaps.api.GET("/api/runs", { params: { query: { limit: 5 } }, signal }));
  runs.show(mine.runs);
  await look();
  page.replaceChildren(h("h1", {}, "What shall it be?"), query, recipes.node, runs.node);
}

function card(recipe: ZapRow): HTMLElement {
  return h(
    "article",
    { class: "card" },
    h("h2", {}, h("a", { href: `#/recipes/${encodeURIComponent(recipe.slug)}` }, recipe.title)),
    h("p", { class: "soft" }, recipe.description),
    h("p", { class: "facts" }, `about ${usd(recipe.estimateUsd)}`, " · ", recipe.providers.join(", ")),
  );
}

function line(run: RunRow): HTMLElement {
  return h(
    "li",
    {},
    h("a", { href: `#/runs/${run.runId}` }, run.zapSlug),
    h("span", { class: `pill ${run.status}` }, statusOf(run.status)),
    h("time", { class: "soft" }, new Date(run.startedAt).toLocaleString()),
  );
}
