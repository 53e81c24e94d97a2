// Tells of what arrives while nobody looks: a count in the title, and a small sound.

export class Attention {
  #title;
  #count = 0;
  #context = null;
  #hidden = false;
  #quiet = 0;   // until then one sound is enough
  #hooks;
  sound = true;

  /// hooks: changed(count) and visible(). `hidden`: the page is in a frame that is closed.
  constructor(title, count, hidden, hooks) {
    this.#title = title;
    this.#hidden = hidden;
    this.#hooks = hooks;
    this.#set(this.hidden ? count : 0);
    document.addEventListener('visibilitychange', () => this.#looked());
    // A browser lets a page make sounds only after the visitor has touched it; a finger has
    // when it goes up.
    for (const kind of ['pointerup', 'keydown']) {
      addEventListener(kind, () => this.#wake(), { passive: true });
    }
  }

  get hidden() { return this.#hidden || document.hidden; }

  set frameHidden(hidden) {
    this.#hidden = hidden;
    this.#looked();
  }

  arrived() {
    if (!this.hidden) return;
    this.#set(this.#count + 1);
    if (this.sound) this.#play();
  }

  #looked() {
    if (this.hidden) return;
    this.#set(0);
    this.#hooks.visible();
  }

  #set(count) {
    this.#count = count;
    document.title = count ? `(${count}) ${this.#title}` : this.#title;
    this.#hooks.changed(count);
  }

  #wake() {
    if (!this.sound || !window.AudioContext) return;
    this.#context ??= new AudioContext();
    if (this.#context.state === 'suspended') this.#context.resume().catch(() => {});
  }

  // Two soft tones, a fifth apart; one at a time, however much arrives.
  #play() {
    const context = this.#context;
    if (context?.state !== 'running' || performance.now() < this.#quiet) return;
    this.#quiet = performance.now() + 500;
    const gain = context.createGain();
    const tone = context.createOscillator();
    const begin = context.currentTime;
    tone.frequency.setValueAtTime(587, begin);
    tone.frequency.setValueAtTime(880, begin + 0.09);
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(0.12, begin + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.001, begin + 0.35);
    tone.connect(gain).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + 0.36);
  }
}
