import { h } from "./dom.ts";
import { galleryPage } from "./gallery.ts";
import { recipePage } from "./recipe.ts";
import { runPage } from "./run.ts";
import { type Session, resume, signIn, signOut } from "./session.ts";
import { explain } from "./words.ts";

/** Draws one page into `page`; what it does in the background ends with the signal. */
type Page = (session: Session, page: HTMLElement, name: string, signal: AbortSignal) => Promise<void>;

const PAGES: [path: RegExp, page: Page][] = [
  [/^#\/recipes\/([^/]+)$/, recipePage],
  [/^#\/runs\/([^/]+)$/, runPage],
  [/^(?:#\/?)?$/, galleryPage],
];

const page = document.getElementById("page")!;
const account = document.getElementById("account")!;
let leaving = new AbortController();

async function go(): Promise<void> {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  try {
    const session = await resume();
    if (session === null) return askForKey();
    account.replaceChildren(session.name, h("button", { class: "quiet", onclick: leave }, "Sign out"));
    for (const [path, draw] of PAGES) {
      const found = path.exec(location.hash);
      if (found) return await draw(session, page, decodeURIComponent(found[1] ?? ""), signal);
    }
    page.replaceChildren(h("h1", {}, "There is no such page"), h("a", { href: "#/" }, "All recipes"));
  } catch (error) {
    if (!signal.aborted) page.replaceChildren(h("p", { class: "problem", role: "alert" }, explain(error)));
  }
}

function leave(): void {
  signOut();
  location.hash = "#/";
  void go();
}

function askForKey(): void {
  account.replaceChildren();
  const server = h("input", { id: "server", type: "url", required: true, value: "http://localhost:8000" });
  const key = h("input", { id: "key", type: "password", required: true, autocomplete: "off", placeholder: "zap_…" });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await signIn({ baseUrl: new URL(server.value).origin, key: key.value.trim() });
      await go();
    } catch (error) {
      problem.textContent = explain(error);
    }
  };
  page.replaceChildren(
    h(
      "form",
      { class: "card sign-in", onsubmit: (event) => void submit(event) },
      h("h1", {}, "Make a film"),
      h("p", { class: "soft" }, "An API key is made by ", h("code", {}, "zap token create desk"), "."),
      h("label", { for: "server" }, "Server"),
      server,
      h("label", { for: "key" }, "API key"),
      key,
      problem,
      h("button", { class: "main" }, "Sign in"),
    ),
  );
}

addEventListener("hashchange", () => {
  page.focus();
  void go();
});
void go();
