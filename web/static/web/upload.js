// <zap-upload>: around the field of a picture, clip or sound; sends a chosen file, and puts its name into the field.

const SHOWN = { image: "img", video: "video", audio: "audio" };

class ZapUpload extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input");
    this.area = document.createElement("div");
    this.area.className = "drop";
    this.chooser = document.createElement("input");
    Object.assign(this.chooser, { type: "file", accept: `${this.kind}/*` });
    this.chooser.setAttribute("aria-label", `A file for: ${this.getAttribute("label")}`);
    this.said = document.createElement("p");
    this.said.className = "facts";
    this.said.setAttribute("role", "status");
    this.area.append(this.chooser, this.said);
    this.append(this.area);
    this.chooser.addEventListener("change", (event) => {
      event.stopPropagation();
      this.take(this.chooser.files[0]);
    });
    this.chooser.addEventListener("input", (event) => event.stopPropagation());
    for (const [name, isOver] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
      this.area.addEventListener(name, (event) => {
        event.preventDefault();
        this.area.classList.toggle("over", isOver);
        if (name === "drop") this.take(event.dataTransfer.files[0]);
      });
    }
  }

  get kind() {
    return this.getAttribute("kind");
  }

  async take(file) {
    if (!file) return;
    this.preview(file);
    this.said.textContent = `Sending ${file.name}…`;
    const body = new FormData();
    body.append("file", file);
    const token = this.closest("form").elements.csrfmiddlewaretoken.value;
    try {
      const answer = await fetch("/api/uploads", { method: "POST", body, headers: { "X-CSRFToken": token } });
      const told = await answer.json();
      if (!answer.ok) throw new Error(`${told.detail} ${told.remediation}`);
      this.field.value = `upload:${told.uploadId}`;
      this.said.textContent = `${file.name} is ready.`;
    } catch (error) {
      this.field.value = "";
      this.said.textContent = error instanceof TypeError ? "The file could not be sent. Try again." : error.message;
    }
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  preview(file) {
    this.area.querySelector("[data-preview]")?.remove();
    const shown = document.createElement(SHOWN[this.kind]);
    shown.dataset.preview = "";
    shown.src = URL.createObjectURL(file);
    if (this.kind === "image") shown.alt = `Preview of ${file.name}`;
    else shown.controls = true;
    this.area.prepend(shown);
  }
}

customElements.define("zap-upload", ZapUpload);
