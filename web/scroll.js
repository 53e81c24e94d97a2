// Keeps a box at its end while things are added to it, until the reader scrolls up; then a
// button counts what comes, and leads back to the end.

const kNear = 40;   // px from the end that still count as being there

export class Scroll {
  #box;
  #button;
  #label;
  #atEnd = true;
  #last = 0;
  #newer = 0;
  #following = null;

  /// `label(count)` gives the words of the button.
  constructor(box, content, button, label) {
    this.#box = box;
    this.#button = button;
    this.#label = label;
    box.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    button.addEventListener('click', () => {
      this.toEnd();
      box.focus();   // the button is gone, and the focus with it
    });
    // Sees everything that can move the end away: messages, a keyboard, a window's size.
    const observer = new ResizeObserver(() => { if (this.#atEnd) this.#jump(); });
    observer.observe(box);
    observer.observe(content);
  }

  arrived() {
    if (this.#atEnd) return this.#follow();
    ++this.#newer;
    this.#show();
  }

  toEnd() {
    this.#atEnd = true;
    this.#newer = 0;
    this.#show();
    this.#jump();
  }

  // Where as much goes at the beginning as comes at the end, no size changes, but the
  // browser moves what is in sight; until the next frame that is not the reader either.
  #follow() {
    this.#following ??= requestAnimationFrame(() => {
      this.#following = null;
      this.#jump();
    });
  }

  #jump() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#last = this.#box.scrollTop;
  }

  // Only a move upwards is the reader's: the end moves away by itself, too, and an event of
  // scrolling may come after that.
  #scrolled() {
    if (this.#following !== null) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    if (scrollHeight - clientHeight - scrollTop <= kNear) {
      this.#atEnd = true;
      this.#newer = 0;
    } else if (scrollTop < this.#last) {
      this.#atEnd = false;
    }
    this.#last = scrollTop;
    this.#show();
  }

  #show() {
    this.#button.hidden = this.#newer === 0;
    this.#button.textContent = this.#newer ? this.#label(this.#newer) : '';
  }
}
