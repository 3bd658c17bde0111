import type { AssetRow, Zaps } from "@zaps/client";

import { h } from "./dom.ts";

/** Pictures, clips and sounds as elements. Each file is fetched once, with the key, and let go with the page. */
export class Media {
  readonly #addresses = new Map<string, Promise<string>>();

  constructor(
    readonly zaps: Zaps,
    readonly signal: AbortSignal,
  ) {}

  of(asset: AssetRow): HTMLElement {
    const made =
      asset.kind === "mp4"
        ? h("video", { controls: true, loop: true, playsinline: true })
        : asset.kind === "wav"
          ? h("audio", { controls: true })
          : h("img", { alt: `What ${asset.stepId} made` });
    if (asset.width !== null && asset.height !== null) made.style.aspectRatio = `${asset.width} / ${asset.height}`;
    this.#addressOf(asset).then(
      (address) => (made.src = address),
      () => made.replaceWith(h("p", { class: "soft" }, "This file could not be fetched.")),
    );
    return made;
  }

  #addressOf(asset: AssetRow): Promise<string> {
    const known = this.#addresses.get(asset.assetId) ?? this.#fetch(asset.url);
    this.#addresses.set(asset.assetId, known);
    return known;
  }

  async #fetch(url: string): Promise<string> {
    const address = URL.createObjectURL(await this.zaps.media(url, this.signal));
    this.signal.addEventListener("abort", () => URL.revokeObjectURL(address), { once: true });
    return address;
  }
}
