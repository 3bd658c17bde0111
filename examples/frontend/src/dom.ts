export type Child = Node | string | null | false;
type Given = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

/** An element. Functions are listeners, true is an attribute without a value; false and undefined are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  given: Given = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === "function") made.addEventListener(key.replace(/^on/, ""), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined) made.setAttribute(key, String(value));
  }
  made.append(...children.filter(isThere));
  return made;
}

/** A part of the page that is drawn again only when what it shows has changed, so that focus and playing media stay. */
export class Part<T> {
  readonly node: HTMLElement;
  #shown = "";

  constructor(name: "div" | "section" | "li", given: Given, readonly draw: (value: T) => Child[]) {
    this.node = h(name, given);
  }

  show(value: T): void {
    const shown = JSON.stringify(value);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.node.replaceChildren(...this.draw(value).filter(isThere));
  }
}

function isThere(child: Child): child is Node | string {
  return child !== null && child !== false;
}
