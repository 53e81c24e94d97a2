// The field in which the visitor writes: it grows with its text, keeps its draft, and
// knows which Enter sends.

const kRows = 8;   // beyond them it scrolls

export class Field {
  #area;
  #memory;

  /// `send(text)` says whether the text was taken over; if not, it stays.
  constructor(form, area, memory, send, changed) {
    this.#area = area;
    this.#memory = memory;
    // Somebody may have begun before there was a script.
    const begun = area.value;
    this.#put(begun.startsWith(memory.draft) ? begun : memory.draft + begun);
    area.addEventListener('input', () => {
      memory.draft = area.value;
      this.#fit();
      changed(area.value);
    });
    area.addEventListener('keydown', (event) => {
      // An Enter that chooses from an input method is not ours; Safari tells it by 229 alone.
      const composing = event.isComposing || event.keyCode === 229;
      if (event.key !== 'Enter' || event.shiftKey || event.altKey || composing) return;
      event.preventDefault();
      if (!event.repeat) form.requestSubmit();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = wellFormed(area.value);
      if (text.trim() && send(text)) this.#put('');
      area.focus();
    });
    addEventListener('resize', () => this.#fit());
  }

  focus() { this.#area.focus(); }

  set disabled(yes) { this.#area.disabled = yes; }

  /// Puts a text that did not arrive before what is being written.
  giveBack(text) {
    this.#put(this.#area.value ? `${text}\n${this.#area.value}` : text);
    this.focus();
  }

  #put(text) {
    this.#area.value = this.#memory.draft = text;
    this.#fit();
  }

  #fit() {
    const area = this.#area;
    area.style.height = 'auto';
    const row = parseFloat(getComputedStyle(area).lineHeight) || 24;
    const borders = area.offsetHeight - area.clientHeight;
    area.style.height = `${Math.min(area.scrollHeight + borders, row * kRows)}px`;
  }
}

// Half a character of UTF-16 cannot be sent.
function wellFormed(text) {
  const whole = text.toWellFormed?.() ?? text.replace(/\p{Surrogate}/gu, '\ufffd');
  return whole.replace(/\r\n?/g, '\n').trimEnd();
}
